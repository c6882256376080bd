"""Times the start of a desk, from the start of its process until it could recognise somebody.

Each round starts the desk and, in turn, a process that only imports the libraries it cannot do without: their ratio
holds on any machine, however busy. The window is not part of it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median

from appliance.bench.crowd import faces_of
from appliance.bench.ready import __name__ as ready_module
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.composition import open_desk
from appliance.core.errors import DemoFailed
from appliance.core.iin import Iin, check_digit
from appliance.demo.clinic import found
from appliance.face.pack import Pack
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.home import Home

BARE = "import numpy, cv2, onnxruntime, sqlcipher3, cryptography.hazmat.primitives.ciphers.aead"
"""What any program of this kind has to load; faiss only from ten thousand templates on."""


def measure(pack: Pack, packs: Path, people: int, rounds: int, clock: Clock, step: Callable[[], None]) -> Report:
    """Start a desk with this pack and so many enrolled people `rounds` times, warm; `step` is told of each round.

    Raises DemoFailed when the desk does not start.
    """
    ready: list[float] = []
    bare: list[float] = []
    heavy = False
    with _desk(pack, people, clock) as home:
        start = [sys.executable, "-m", ready_module, str(home.root), str(packs)]
        compiled = _compiled_in(home.root)
        for number in range(rounds + 1):
            took, said = _timed(start, clock, compiled)
            alone, _ = _timed([sys.executable, "-c", f"{BARE}; print()"], clock, compiled)
            told = json.loads(said)
            if told["people"] != people:
                raise DemoFailed(f"the desk started with {told['people']} of {people} people")
            heavy = heavy or bool(told["insightface"])
            if number:  # the first round warms the caches of files
                ready.append(took)
                bare.append(alone)
            step()
    return Report(
        "startup",
        "bare imports",
        {"pack": pack.name, "people": people, "rounds": rounds, "insightface imported": "yes" if heavy else "no"},
        (
            Figure("process start to ready, median", median(ready), "ms", median(bare), Goal(Bound.AT_MOST, 300.0)),
            Figure("process start to ready, fastest", min(ready), "ms", min(bare)),
        ),
    )


def _compiled_in(folder: Path) -> dict[str, str]:
    """An environment in which Python keeps what it compiled, as an installed desk does, wherever it runs from."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _timed(command: list[str], clock: Clock, environment: Mapping[str, str]) -> tuple[float, str]:
    """Milliseconds until the first line of a process, and the line."""
    begin = clock.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603 - our own
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        took = (clock.monotonic() - begin) * 1000
    if process.returncode != 0:
        raise DemoFailed(f"a started process ended with code {process.returncode}")
    return took, line


@contextmanager
def _desk(pack: Pack, people: int, clock: Clock) -> Iterator[Home]:
    """A desk of its own with so many invented people enrolled."""
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        site, _ = found(Path(folder), clock)
        config = site.home.config
        config.write_text(f'{config.read_text(encoding="utf-8")}\n[pack]\nname = "{pack.name}"\n', encoding="utf-8")
        with open_desk(site.home, clock) as desk, immediate(desk.records.db):
            at = clock.moment().wall
            for profile, embedding in zip(_invented(), faces_of(pack, people), strict=False):
                person = desk.records.people.add(profile, at)
                desk.records.templates.add(person, [embedding], at)
        yield site.home


def _invented() -> Iterator[Profile]:
    """People born in the 1800s, as in the demonstration: their numbers belong to nobody."""
    for month, day, serial in product(range(1, 13), range(1, 29), range(10_000)):
        eleven = f"80{month:02d}{day:02d}1{serial:04d}"
        digit = check_digit(eleven)
        if digit is not None:
            yield Profile("Bench", "Invented", Iin(f"{eleven}{digit}"), "kk")
