"""A whole evaluation of drawn people: what is found, what is refused, and how it is told in JSON, page and card."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from appliance.core.errors import CardUnmarked, DatasetUnknown
from appliance.core.policy import Policy
from appliance.evaluation.card import BEGIN, END, with_figures
from appliance.evaluation.document import as_json, write_document
from appliance.evaluation.evaluate import Order, Protocol, evaluate
from appliance.evaluation.measuring import Forgetful, Instruments
from appliance.evaluation.page import page
from appliance.evaluation.plots import pictures
from appliance.evaluation.readers import read_sets
from appliance.evaluation.results import Evaluation
from appliance.face.pack import Pack, open_pack
from tests.evaluation.crowds import SECRET, draw_crowd
from tests.evaluation.eyes import ColourObserver, draw

POLICY = Policy()


def _told(what: str, done: int, of: int) -> None:
    """Nobody looks."""


def _evaluate(pack: Pack, folder: Path, *protocols: Protocol, calibrate: bool = True) -> Evaluation:
    order = Order(frozenset(protocols or Protocol), POLICY, "2026-01-31", "keldim 9.9", calibrate=calibrate)
    tools = Instruments(ColourObserver(), POLICY.gate, live=True)
    return evaluate(pack, read_sets(folder), tools, Forgetful(), order, _told)


@pytest.fixture(scope="module")
def pack(pack_path: Path) -> Pack:
    """The builtin pack; its models look at nothing here."""
    return open_pack(pack_path)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn people."""
    return draw_crowd(tmp_path_factory.mktemp("crowd"))


@pytest.fixture(scope="module")
def found(pack: Pack, crowd: Path) -> Evaluation:
    """All protocols, with thresholds from the same pictures."""
    return _evaluate(pack, crowd)


@pytest.fixture(scope="module")
def text(found: Evaluation) -> str:
    """The page."""
    return page(found, pictures(found))


def test_every_cohort_is_compared(found: Evaluation) -> None:
    """Living people only: prints of a face are no genuine comparisons."""
    sizes = {pairs.cohort: (pairs.people, pairs.genuine, pairs.impostor) for pairs in found.pairs}
    assert sizes == {"people": (80, 480, 50560), "nuaa-live": (5, 950, 4000)}
    assert found.calibration is not None
    assert [cohort.name for cohort in found.calibration.cohorts] == ["nuaa-live", "people"]


def test_what_the_pictures_do_not_support_is_refused(found: Evaluation) -> None:
    """In words, and as nothing in the tables' places: 50,560 comparisons speak about 1e-4, not about 1e-5."""
    people = next(pairs for pairs in found.pairs if pairs.cohort == "people")
    assert [row.target for row in people.targets if row.point is None] == [1e-5, 1e-6]
    assert any("people: no rates at an FMR of 1e-5, 1e-6" in line for line in found.refused)


def test_a_print_is_refused_and_the_person_is_not(found: Evaluation) -> None:
    """All of them match (IAPMR); none is accepted."""
    assert found.attacks is not None
    attack = next(group for group in found.attacks.groups if group.attack)
    assert (attack.name, attack.live.errors, attack.windows) == ("print-nuaa", 0, 30)
    living = [group for group in found.attacks.groups if not group.attack]
    assert [group.name for group in living] == ["live-nuaa-01", "live-nuaa-02"]
    assert all(group.live.value == 1 for group in living)
    rows = {row.name: (row.matched.value, row.accepted.value) for row in found.attacks.end_to_end}
    assert rows == {"print-nuaa": (1, 0), "live-nuaa-02": (1, 1)}, "templates come from the first session"


def test_thresholds_of_the_pack_are_used_unless_it_is_calibrated(pack: Pack, crowd: Path) -> None:
    """The pack's own calibration decides, and the report says whose thresholds they are."""
    judged = _evaluate(pack, crowd / "people", Protocol.PAIRS, calibrate=False)
    assert not judged.own
    assert pack.calibration is not None
    asked = {row.asked.purpose: row.asked.value for row in judged.observed}
    assert asked["1:1, FMR 1e-4"] == pack.calibration.threshold_verify(1e-4).value
    bare = _evaluate(replace(pack, calibration=None), crowd / "people", Protocol.PAIRS, calibrate=False)
    assert bare.own


def test_only_what_is_asked_for_is_summed_up(pack: Pack, crowd: Path) -> None:
    """One protocol alone."""
    one = _evaluate(pack, crowd / "people", Protocol.IDENTIFICATION)
    assert not one.pairs
    assert one.attacks is None
    assert [row.setting.gallery for row in one.searches[0].rows] == [30, 30]


def test_sets_that_hold_nothing_for_a_protocol_are_told(pack: Pack, tmp_path: Path) -> None:
    """One picture of each person compares nobody with himself."""
    for person in range(3):
        draw(tmp_path / "set" / str(person) / "1.png", person)
    with pytest.raises(DatasetUnknown, match="nothing"):
        _evaluate(pack, tmp_path / "set", Protocol.PAIRS)


def test_the_document_claims_no_rate_of_fewer_than_three_errors(found: Evaluation) -> None:
    """Everywhere in it: a rate is there exactly where three errors are."""
    rates = 0

    def walk(value: object) -> None:
        nonlocal rates
        if isinstance(value, dict):
            if "errors" in value:
                rates += 1
                assert (value["rate"] is not None) == (value["errors"] >= 3)
                assert value["low"] <= value["high"]
                assert value["at_most"] <= 1
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    document = json.loads(write_document(found))
    walk(document)
    assert rates > 100
    assert document["format"] == 1
    assert document == as_json(found)


def test_the_page_is_whole_and_needs_nothing_else(found: Evaluation, text: str) -> None:
    """Every table and picture, well-formed, no identifier twice, no address to load anything from."""
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))
    for key in ("sets", "pairs", "apart", "observed", "cross", "searches", "attacks", "bona-fide", "end-to-end"):
        assert f'<section id="{key}">' in text
    assert "not supported" in text
    assert found.digest in text
    assert not re.search(r'(src|href)="(?!#)', text.replace("xlink:", ""))
    assert "<image" not in text, "no picture of anybody"
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314 - made here


def test_the_same_results_give_the_same_page(found: Evaluation, text: str) -> None:
    """No time, no chance in it."""
    assert page(found, pictures(found)) == text


def test_nobody_is_named_anywhere(found: Evaluation, text: str) -> None:
    """Neither page nor document nor card tells what folders and files were called."""
    told = text + write_document(found).decode() + with_figures(f"{BEGIN}{END}", found)
    assert SECRET not in told
    assert "0001_00" not in told


def test_a_card_gets_its_figures_and_keeps_its_words(found: Evaluation) -> None:
    """Twice gives the same; a card without the marks is told."""
    card = f"# Card\n\nwritten\n\n{BEGIN}\nold figures\n{END}\n\nlimits\n"
    once = with_figures(card, found)
    assert "old figures" not in once
    assert once.startswith("# Card\n\nwritten\n")
    assert once.endswith("limits\n")
    assert with_figures(once, found) == once
    assert "| people | 80 |" in once
    with pytest.raises(CardUnmarked):
        with_figures("# Card\n", found)
    with pytest.raises(CardUnmarked):
        with_figures(f"{END}{BEGIN}", found)
