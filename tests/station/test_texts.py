"""Every word on the screen exists in three languages, and none too many."""

import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from appliance import texts
from appliance.core.decision import Reason
from appliance.core.device import Fact, Finding, Health, Part
from appliance.core.operators import Role
from appliance.core.quality import Hint
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck, Relation
from appliance.core.session import State
from appliance.core.setup_steps import Outcome, Problem, SetupStep, StepResult, judge_camera
from appliance.core.snapshot import IntentKind, Snapshot
from appliance.core.standing import Status
from appliance.core.types import Cue, Instant, View
from appliance.front_texts import ChildConsent, Consent, Front, StaffConsent
from appliance.paper_texts import Paper
from appliance.reception_texts import Erasure, Told
from appliance.texts import Advice, Count, Label, Language, SetupWord

TABLE: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
    Path(texts.__file__).with_name("texts.toml").read_text(encoding="utf-8")
)
WELL = {
    *(Finding.FINE, Finding.CAMERA_READY, Finding.PACK_READY, Finding.LEDGER_WHOLE, Finding.BACKLOG_NONE),
    *(Finding.BACKLOG_WAITS, Finding.CLOCK_TRUSTED, Finding.DISK_FREE, Finding.KEY_READY, Finding.VERSIONS_ARE),
}
NOT_WELL: set[str] = {finding.value for finding in Finding if finding not in WELL}
SUCCESS = {Reason.MATCH, Reason.LIVE, Reason.STAFF_AS_PATIENT}
USED: dict[str, set[str]] = {
    "state": set(State),
    "part": set(Part),
    "health": set(Health),
    "finding": set(Finding),
    "remedy": NOT_WELL,
    "age": {"minutes", "hours", "days"},
    "setup_step": set(SetupStep),
    "setup_ask": set(SetupStep),
    "setup_found": set(SetupStep),
    "problem": set(Problem),
    "setup_word": set(SetupWord),
    "hint": set(Hint),
    "cue": set(Cue),
    "view": set(View),
    "enrolment": {"other_look"},
    "answer": set(IntentKind),
    "reception": set(Advice),
    "screen": set(Label),
    "paper": set(Paper),
    "role": set(Role),
    "status": set(Status),
    "cause": (set(Reason) - SUCCESS) | set(Hint),
    "identity": set(IdentityCheck),
    "face_failure": set(FaceFailure),
    "correction": set(CorrectionReason),
    "told": set(Told),
    "erasure": set(Erasure),
    "front": set(Front),
    "consent": set(Consent),
    "child_consent": set(ChildConsent),
    "relation": set(Relation),
    "staff_consent": set(StaffConsent),
    "count": {f"{count}_{form}" for count in Count for form in ("one", "few", "many", "other")},
}
ALL = [(section, key) for section in TABLE for key in TABLE[section]]
ONLY_KAZAKH = set("әғқңөұүһі")
ONLY_RUSSIAN = set("ёщъ")


def test_every_text_is_used_and_every_use_has_its_text() -> None:
    """No state, hint, cue, answer or advice without words; no words without a use."""
    assert {section: set(TABLE[section]) for section in TABLE} == USED


@pytest.mark.parametrize(("section", "key"), ALL)
def test_a_text_is_in_all_languages(section: str, key: str) -> None:
    """Said in each, without blanks at the ends; the same placeholders."""
    said = TABLE[section][key]
    assert set(said) == set(Language)
    assert all(text == text.strip() != "" for text in said.values())
    assert len({frozenset(re.findall(r"{(\w*)}", text)) for text in said.values()}) == 1


@pytest.mark.parametrize(("section", "key"), ALL)
def test_each_language_is_written_in_its_own_letters(section: str, key: str) -> None:
    """Kazakh and Russian in Cyrillic without Latin look-alikes, English in Latin; Kazakh letters in Kazakh only."""
    said = {language: re.sub(r"{\w*}", "", text).lower() for language, text in TABLE[section][key].items()}
    assert not re.search("[a-z]", said["kk"] + said["ru"])
    assert not re.search("[а-яёәғқңөұүһі]", said["en"])
    assert not ONLY_KAZAKH & set(said["ru"])
    assert not ONLY_RUSSIAN & set(said["kk"])


def test_the_kazakh_texts_are_kazakh() -> None:
    """Most of them hold letters that Russian does not have, and all those letters occur but the rare һ."""
    said = [TABLE[section][key]["kk"].lower() for section, key in ALL]
    assert sum(bool(ONLY_KAZAKH & set(text)) for text in said) > 0.8 * len(said)
    assert ONLY_KAZAKH - {"һ"} <= set("".join(said))


@pytest.mark.parametrize("language", Language)
def test_the_confirmation_greets_by_name(language: Language) -> None:
    """And no other state does."""
    for state in State:
        assert ("Айгүл Ә." in texts.state_text(state, language, "Айгүл Ә.")) == (state is State.CONFIRM)
        assert "{" not in texts.state_text(state, language, "Айгүл Ә.")


@pytest.mark.parametrize("language", Language)
def test_what_is_said_is_what_the_functions_give(language: Language) -> None:
    """Hints, cues and answers come from the table."""
    assert [texts.hint_text(hint, language) for hint in Hint] == [TABLE["hint"][h][language] for h in Hint]
    assert [texts.cue_text(cue, language) for cue in Cue] == [TABLE["cue"][c][language] for c in Cue]
    assert [texts.reception_text(a, language) for a in Advice] == [TABLE["reception"][a][language] for a in Advice]
    assert texts.other_look_text(language) == TABLE["enrolment"]["other_look"][language]
    assert [texts.view_text(view, language) for view in View] == [TABLE["view"][v][language] for v in View]
    assert [texts.answer_text(a, language) for a in IntentKind] == [TABLE["answer"][a][language] for a in IntentKind]


@pytest.mark.parametrize("language", Language)
def test_the_page_about_the_device_speaks_from_the_table(language: Language) -> None:
    """Parts, words for health, findings with figures; a remedy for whatever is not well, and for nothing else."""
    assert [texts.part_text(part, language) for part in Part] == [TABLE["part"][p][language] for p in Part]
    assert [texts.health_text(h, language) for h in Health] == [TABLE["health"][h][language] for h in Health]
    assert {finding for finding in Finding if texts.remedy_text(finding, language)} == NOT_WELL
    assert texts.remedy_text(Finding.DISK_LOW, language) == TABLE["remedy"]["disk_low"][language]
    said = texts.finding_text(Fact(Finding.BACKLOG_WAITS, (("count", 7), ("age", 7_300))), language)
    assert ("7" in said, texts.age_text(7_300, language) in said, "{" in said) == (True, True, False)


@pytest.mark.parametrize("language", Language)
def test_the_set_up_speaks_from_the_table(language: Language) -> None:
    """Steps, questions, answers; what passed and what did not, with figures."""
    assert [texts.step_text(step, language) for step in SetupStep] == [
        TABLE["setup_step"][s][language] for s in SetupStep
    ]
    assert [texts.step_question(s, language) for s in SetupStep] == [TABLE["setup_ask"][s][language] for s in SetupStep]
    assert [texts.setup_word(word, language) for word in SetupWord] == [
        TABLE["setup_word"][w][language] for w in SetupWord
    ]
    good, slow = judge_camera(90, 3.0, 1280, 720), judge_camera(9, 3.0, 1280, 720)
    assert "30" in texts.step_result(good, language)
    assert texts.step_result(slow, language) == TABLE["problem"]["camera_slow"][language].format(
        width=1280, height=720, rate=3
    )
    left_out = StepResult(SetupStep.LIGHT, Outcome.SKIPPED)
    assert texts.step_result(left_out, language) == TABLE["setup_word"]["skipped"][language]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 min"), (7_199, "119 min"), (7_200, "2 h"), (172_799, "47 h"), (172_800, "2 d")]
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: int, said: str) -> None:
    """Never "1 hours"."""
    assert texts.age_text(seconds, Language.ENGLISH) == said


def _line(state: State, hint: Hint | None = None, cue: Cue | None = None, name: str = "") -> str:
    return texts.line(Snapshot(Instant(0), state, hint, cue, greeting=name), Language.ENGLISH)


def test_the_most_important_line_is_chosen() -> None:
    """In the challenge the cue; else a hint; else what the state has to say."""
    assert _line(State.CHALLENGE, Hint.CLOSER, Cue.LEFT) == "Turn your head to the left"
    assert _line(State.CHALLENGE, cue=Cue.STRAIGHT) == "Look straight ahead"
    assert _line(State.ALIGN, Hint.CLOSER) == "Move closer"
    assert _line(State.CONFIRM, name="Aigul A.") == "Hello, Aigul A.! Did you come for this service?"


def test_a_screen_never_says_more_than_not_recognised() -> None:
    """No text tells that liveness was doubted: patients are not accused, attackers not taught."""
    for section, key in ALL:
        words: StrEnum | str = " ".join(TABLE[section][key].values()).lower()
        assert not re.search("spoof|fake|photo|live|подел|фото|жив|жалған|сурет| тірі ", words)
