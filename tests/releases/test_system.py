"""What the guard makes of systemd's answers."""

from pathlib import Path

import pytest

from appliance.releases.system import Debian
from tests.fakes.releases import put_systemctl

WINDOW, SYNC = "keldim-window", "keldim-sync"


@pytest.mark.parametrize(
    ("window", "kiosk", "sync", "started", "told"),
    [
        ("active", "inactive", "active", {WINDOW, SYNC}, ""),
        ("inactive", "inactive", "active", {SYNC}, ""),
        ("inactive", "inactive", "inactive", set(), "no service of the desk runs"),
        ("activating", "inactive", "active", {WINDOW, SYNC}, "keldim-window.service is activating"),
        ("active", "inactive", "inactive", {WINDOW, SYNC}, "keldim-sync.service ended by itself"),
        ("active", "inactive", "active", {SYNC}, "keldim-window.service runs since before the trial"),
    ],
)
def test_a_desk_is_well_when_what_runs_is_on_trial(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    window: str,
    kiosk: str,
    sync: str,
    started: set[str],
    told: str,
) -> None:
    """Each service runs since the trial began, or was stopped; one that left by itself, or never came, is told."""
    states = f"{window}\n{kiosk}\n{sync}"
    monkeypatch.setenv("PATH", put_systemctl(tmp_path / "bin", is_active=states, start=""), prepend=":")
    said = Debian(tmp_path).trouble(started)
    assert said.startswith(told)
    assert bool(said) == bool(told)


def test_a_doctor_that_finds_a_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its service fails to start."""
    states = "active\ninactive\nactive"
    monkeypatch.setenv("PATH", put_systemctl(tmp_path / "bin", is_active=states), prepend=":")
    assert Debian(tmp_path).trouble({WINDOW, SYNC}).startswith("keldim doctor finds a failure")


def test_a_system_without_systemd_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot be asked has not said that all is well."""
    monkeypatch.setenv("PATH", put_systemctl(tmp_path / "bin", is_active="System has not been booted"), prepend=":")
    assert Debian(tmp_path).trouble({WINDOW}).startswith("systemd cannot be asked")
    assert not Debian(tmp_path).asked_to_stop(WINDOW)
