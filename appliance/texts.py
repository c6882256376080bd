"""The words a patient or receptionist reads, in Kazakh, Russian and English, from `texts.toml`.

What is to be said is decided in `core`; here it is only put into words. A missing text is a bug and a
test, never an English fall-back on a Kazakh screen.
"""

import tomllib
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from appliance.core.decision import Reason
from appliance.core.device import Fact, Finding, Health, Part
from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.setup_steps import Outcome, SetupStep, StepResult
from appliance.core.snapshot import IntentKind, Snapshot
from appliance.core.types import Cue, View


class Language(StrEnum):
    """Languages of the screen, first choice first."""

    KAZAKH = "kk"
    RUSSIAN = "ru"
    ENGLISH = "en"


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))


def said(section: str, key: str, language: Language, **parts: str) -> str:
    """A text of the table; parts: what its placeholders stand for. KeyError: a bug."""
    return _table()[section][key][language.value].format(**parts)


class Advice(StrEnum):
    """What the receptionist is told: where a face alone does not decide, and of a desk that is not for service."""

    LOOK_ALIKE = "look_alike"
    STAFF_FACE = "staff_face"
    AMBIGUOUS_MATCH = "ambiguous_match"
    DUPLICATE_FACE = "duplicate_face"
    KEY_AWAY = "key_away"
    SOFTWARE_KEY = "software_key"
    TRAINING = "training"


class Label(StrEnum):
    """Words of the patient's screen beside what a state, a hint, a cue or an answer says."""

    LANGUAGE = "language"
    STARTING = "starting"
    NOTICE = "notice"
    GREETING = "greeting"
    QUESTION = "question"
    TODAY_AT = "today_at"
    CONFIRMED_AT = "confirmed_at"
    ROOM = "room"
    GO_TO = "go_to"
    RECEIPT_NUMBER = "receipt_number"
    SCAN_RECEIPT = "scan_receipt"
    PRINT = "print"
    OFFLINE = "offline"
    TRAINING = "training"
    PAD_IIN = "pad_iin"
    PAD_SCAN = "pad_scan"
    PAD_CODE = "pad_code"
    PAD_NO_CODE = "pad_no_code"
    PAD_WRONG = "pad_wrong"
    PAD_BAD_IIN = "pad_bad_iin"
    PAD_ERASE = "pad_erase"
    QUEUE = "queue"
    FAILURE = "failure"
    TIME_RUNS_OUT = "time_runs_out"
    PICTURE = "picture"
    SOUND_OFF = "sound_off"
    SOUND_ON = "sound_on"


class SetupWord(StrEnum):
    """What can be answered to a step of the set-up, and what is said between them."""

    YES = "yes"
    NO = "no"
    AGAIN = "again"
    SKIP = "skip"
    STOP = "stop"
    CAME_OUT = "came_out"
    PAGE = "page"
    SKIPPED = "skipped"
    INTRO = "intro"
    INTRO_MORE = "intro_more"
    GO_ON = "go_on"
    READY = "ready"


class Count(StrEnum):
    """Sentences with a number, which the languages write in different forms."""

    CLEARS_IN = "clears_in"


def _plural_form(number: int, language: Language) -> str:
    """The form a count takes: the cardinal rules of CLDR for these languages and whole numbers >= 0."""
    if language is Language.RUSSIAN:
        tens, ones = number % 100, number % 10
        if ones == 1 and tens != 11:
            return "one"
        return "few" if 2 <= ones <= 4 and not 12 <= tens <= 14 else "many"
    return "one" if number == 1 else "other"


def screen_text(label: Label, language: Language, **parts: str) -> str:
    """A label of the patient's screen; parts: what its placeholders stand for."""
    return _table()["screen"][label.value][language.value].format(**parts)


def count_text(count: Count, number: int, language: Language) -> str:
    """A sentence with a number, in the form that the language asks for."""
    forms = _table()["count"][f"{count.value}_{_plural_form(number, language)}"]
    return forms[language.value].format(n=number)


def reception_text(advice: Advice, language: Language) -> str:
    """What happened and what to do, for the receptionist."""
    return _table()["reception"][advice.value][language.value]


def advice_on(reasons: Sequence[Reason]) -> Advice | None:
    """The advice that goes with a refusal, if one of its reasons has any."""
    known = set(Advice)
    return next((Advice(reason.value) for reason in reversed(reasons) if reason.value in known), None)


def state_text(state: State, language: Language, name: str = "") -> str:
    """The headline of a state; the confirmation greets by first name and initial."""
    return _table()["state"][state.value][language.value].format(name=name)


def hint_text(hint: Hint, language: Language) -> str:
    """What the patient can do, as an instruction."""
    return _table()["hint"][hint.value][language.value]


def cue_text(cue: Cue, language: Language) -> str:
    """What the challenge asks for, as an instruction."""
    return _table()["cue"][cue.value][language.value]


def view_text(view: View, language: Language) -> str:
    """What is asked for the next look of an enrolment."""
    return _table()["view"][view.value][language.value]


def other_look_text(language: Language) -> str:
    """What is asked for a second set of looks."""
    return _table()["enrolment"]["other_look"][language.value]


def step_text(step: SetupStep, language: Language) -> str:
    """The name of a step of the set-up."""
    return _table()["setup_step"][step.value][language.value]


def step_question(step: SetupStep, language: Language) -> str:
    """What a step asks, or asks somebody to do."""
    return _table()["setup_ask"][step.value][language.value]


def step_result(result: StepResult, language: Language) -> str:
    """What a step found, with its figures; of a failure also what to do."""
    if result.problem is not None:
        return _table()["problem"][result.problem.value][language.value].format(**dict(result.values))
    if result.outcome is Outcome.SKIPPED:
        return setup_word(SetupWord.SKIPPED, language)
    return _table()["setup_found"][result.step.value][language.value].format(**dict(result.values))


def setup_word(word: SetupWord, language: Language) -> str:
    """An answer of the set-up."""
    return _table()["setup_word"][word.value][language.value]


def part_text(part: Part, language: Language) -> str:
    """The name of a part of the device."""
    return _table()["part"][part.value][language.value]


def health_text(health: Health, language: Language) -> str:
    """How a part is, in a word."""
    return _table()["health"][health.value][language.value]


def finding_text(fact: Fact, language: Language) -> str:
    """What was found, with its figures."""
    values = {name: age_text(int(value), language) if name == "age" else value for name, value in fact.values}
    return _table()["finding"][fact.finding.value][language.value].format(**values)


def remedy_text(finding: Finding, language: Language) -> str:
    """What to do; empty where there is nothing to do."""
    return _table()["remedy"].get(finding.value, {}).get(language.value, "")


def age_text(seconds: int, language: Language) -> str:
    """How long ago: minutes, from two hours on hours, from two days on days; short, so that no number bends a word."""
    for unit, size in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * size:
            return _table()["age"][unit][language.value].format(count=seconds // size)
    return _table()["age"]["minutes"][language.value].format(count=seconds // 60)


def answer_text(answer: IntentKind, language: Language) -> str:
    """The label of an answer."""
    return _table()["answer"][answer.value][language.value]


def line(shown: Snapshot, language: Language) -> str:
    """The one line that matters most in a snapshot: the cue, else the hint, else the state's headline."""
    if shown.cue is not None:
        return cue_text(shown.cue, language)
    if shown.hint is not None:
        return hint_text(shown.hint, language)
    return state_text(shown.state, language, shown.greeting)
