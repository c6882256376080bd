"""What a machine may or may not have: upstream weights and evaluation pictures; hooks and fixtures of `conftest`.

Tests marked `upstream` need the folder $KELDIM_UPSTREAM (upstream model files), tests marked `evaluation` the folder
$KELDIM_EVALUATION (evaluation sets). Neither is part of the project. Without the variable they are left out, and the
last lines of the run say so.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

FOLDERS = {
    "upstream": ("KELDIM_UPSTREAM", "the folder of upstream model files"),
    "evaluation": ("KELDIM_EVALUATION", "the folder of evaluation sets (lfw, casia, nuaa, replay, spot_checks)"),
}
DEAR = ("e2e", "packaging", "faults", "kiosk", "demo", "bench", "cli", "sync_fund", "architecture")
"""Folders of tests whose files take long: begun first, so that at the end no process waits for one of them."""
LEFT_OUT = pytest.StashKey[dict[str, int]]()


class Share(Protocol):
    """A process of pytest-xdist that ran a share of the tests; workeroutput: what it told, absent if it died."""

    config: pytest.Config
    workeroutput: dict[str, dict[str, int]]


def _folder(marker: str) -> Path | None:
    """The folder a marker asks for, if the environment names one. A name that is no folder is a mistake, not a no."""
    variable, what = FOLDERS[marker]
    named = os.environ.get(variable)
    if not named:
        return None
    if not Path(named).is_dir():
        raise pytest.UsageError(f"{variable}={named} is not {what}")
    return Path(named).resolve()


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker, (variable, what) in FOLDERS.items():
        config.addinivalue_line("markers", f"{marker}: needs {what}; set {variable}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays until the end: the collector of garbage need not search it, neither now nor later.

    Measured: collecting takes 19 s in place of 30.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine has no files for, and count it; what takes long comes first."""
    missing = {marker for marker in FOLDERS if _folder(marker) is None}
    out = [item for item in items if any(item.get_closest_marker(marker) for marker in missing)]
    config.stash[LEFT_OUT] = {m: sum(1 for item in out if item.get_closest_marker(m)) for m in sorted(missing)}
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return DEAR.index(folder) if folder in DEAR else len(DEAR)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs a share of the tests (pytest-xdist) tells the one that prints the summary."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        told: dict[str, int] = session.config.stash.get(LEFT_OUT, {})
        output["left_out"] = told


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Share) -> None:
    """Every share of the tests leaves out the same ones; take over what the last one told."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say plainly what was not run, and how to run it."""
    for marker, count in config.stash.get(LEFT_OUT, {}).items():
        if count:
            variable, what = FOLDERS[marker]
            terminalreporter.write_line(
                f"NOT RUN: {count} tests marked {marker}. To run them: {variable}=DIR, {what}.", yellow=True
            )


def _given(marker: str) -> Path:
    folder = _folder(marker)
    if folder is None:
        raise pytest.UsageError(f"mark the test with pytest.mark.{marker}: it uses the fixture of that name")
    return folder


@pytest.fixture(scope="session")
def upstream() -> Path:
    """The folder of upstream model files; for tests marked `upstream`."""
    return _given("upstream")


@pytest.fixture(scope="session")
def evaluation() -> Path:
    """The folder of evaluation sets; for tests marked `evaluation`."""
    return _given("evaluation")
