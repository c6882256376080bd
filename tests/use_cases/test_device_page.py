"""The page about the device has a line for each part, with a remedy in three languages for what is not well."""

import ast
from pathlib import Path

import pytest

from appliance import health
from appliance.core.device import DeviceLine, DevicePage, Fact, Finding, Health, Part
from appliance.device_page import PARTS, device_page
from appliance.health import OLD_BACKLOG_S
from appliance.texts import Language, finding_text, remedy_text
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.system_tree import FakeSystem
from tests.fakes.working_desk import WorkingDesk


def lines(page: DevicePage) -> dict[Part, DeviceLine]:
    """By part."""
    return {line.part: line for line in page.lines}


def test_every_part_has_its_line(home: Home, desk: WorkingDesk, clock: ManualClock, pack_path: Path) -> None:
    """In the order of the parts, each once, with the figures of what was found."""
    desk.enrol(1)
    page = device_page(home, pack_path.parent, clock)
    assert [line.part for line in page.lines] == list(Part)
    found = lines(page)
    assert (page.device, page.at, page.health) == ("desk-1", clock.moment().wall.isoformat(), Health.WARNING)
    assert found[Part.LEDGER].fact == Fact(Finding.LEDGER_WHOLE, (("count", 1),))
    assert found[Part.BACKLOG].fact == Fact(Finding.BACKLOG_WAITS, (("count", 1), ("age", 0)))
    assert found[Part.KEY].fact.finding is Finding.KEY_SOFTWARE
    assert found[Part.PACK].fact.finding is Finding.PACK_READY
    assert found[Part.VERSIONS].fact.values[0][0] == "software"


@pytest.mark.parametrize("language", Language)
def test_whatever_is_not_well_has_a_remedy(
    home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path, language: Language
) -> None:
    """And every finding is said without a hole in the sentence."""
    desk.enrol(1)
    clock.step_wall(-3600)
    desk.enrol(2)
    clock.advance(OLD_BACKLOG_S + 7200)
    system = FakeSystem(tmp_path / "system")
    system.loopback(0)
    page = device_page(home, tmp_path / "no packs", clock, system.tree)
    bad = [line for line in page.lines if line.health is not Health.OK]
    assert {Part.CAMERA, Part.PACK, Part.BACKLOG, Part.CLOCK} <= {line.part for line in bad}
    assert all(remedy_text(line.fact.finding, language) for line in bad)
    assert not any("{" in finding_text(line.fact, language) for line in page.lines)
    assert lines(page)[Part.BACKLOG].fact == Fact(
        Finding.BACKLOG_OLD, (("count", 2), ("age", round(OLD_BACKLOG_S) + 7200 - 3600))
    )
    assert page.health is Health.FAILED


def test_a_desk_that_is_not_there_has_a_page(clock: ManualClock, tmp_path: Path) -> None:
    """Before it is set up: what could be looked at, and the settings as a failure with their code."""
    page = device_page(Home(tmp_path / "nowhere"), tmp_path, clock)
    assert page.device == ""
    assert lines(page)[Part.SETTINGS].fact == Fact(Finding.BROKEN, (("code", "E-CFG-01"),))


def test_a_page_without_a_line_is_well() -> None:
    """Nothing found, nothing wrong."""
    assert DevicePage("desk-1", "", ()).health is Health.OK


def test_every_check_of_the_doctor_has_a_part() -> None:
    """A new check cannot be forgotten: its name stands in the source as a check's."""
    tree = ast.parse(Path(health.__file__).read_text(encoding="utf-8"))
    names = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Check", "_failed")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert names == set(PARTS)
