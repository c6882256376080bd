"""Every state has its words in every language, and says no more about a person than it must."""

from dataclasses import fields, replace

import pytest

from appliance.core.session import State
from appliance.core.snapshot import IntentKind, Snapshot
from appliance.texts import Count, Language, count_text
from kiosk_ui.samples import NOW, RECEIPT, STATES, ULTRASOUND
from kiosk_ui.screen import PRINT, SCENES, Screen, Surroundings, Tone, render, starting

AROUND = Surroundings("№ 5", "26", offline=True, printer=True)
EVERYWHERE = [(name, language) for name in STATES for language in Language]


def words(screen: Screen) -> str:
    """All text of a screen."""
    return " ".join(str(getattr(screen, each.name)) for each in fields(screen))


def test_no_state_is_without_a_picture() -> None:
    """Each has a layout, and each is among the pictures that the tests look at."""
    assert set(SCENES) == set(State)
    assert {shown.state for shown in STATES.values()} == set(State)


@pytest.mark.parametrize(("name", "language"), EVERYWHERE)
def test_a_state_is_told_in_every_language(name: str, language: Language) -> None:
    """With a headline, and nothing left to be filled in."""
    screen = render(STATES[name], AROUND, language)
    assert screen.headline
    assert "{" not in words(screen)
    assert all(button.text for button in (*screen.answers, *screen.bottom))
    assert len(screen.languages) == 3


@pytest.mark.parametrize("name", STATES)
def test_a_name_is_only_where_it_is_asked_about(name: str) -> None:
    """The greeting and a service are shown to confirm them; after that, and anywhere else, nobody's name is."""
    shown = replace(STATES[name], greeting="Айгүл Ә.", child="")
    screen = render(shown, AROUND, Language.KAZAKH)
    assert ("Айгүл" in words(screen)) == (shown.state is State.CONFIRM)


def test_the_way_without_a_face_is_on_the_first_screen() -> None:
    """From the first moment, as large as any other, and again when the face was not recognised."""
    for name in ("idle", "align", "hold", "challenge_left", "not_recognised"):
        screen = render(STATES[name], AROUND, Language.KAZAKH)
        assert [button.intent for button in screen.bottom] == [IntentKind.WITHOUT_FACE, IntentKind.HELP]


def test_a_hint_is_drawn_when_it_has_stood() -> None:
    """And named in the language of the screen; a hint that has just come is read."""
    drawn = render(STATES["align_in_vain"], AROUND, Language.ENGLISH)
    assert (drawn.picture, drawn.grown) == (("mask_down", "Picture: Lower your mask"), True)
    fresh = render(STATES["align_hint"], AROUND, Language.ENGLISH)
    assert (fresh.picture, fresh.grown) == (("", ""), False)


def test_a_tick_is_only_shown_for_what_is_recorded() -> None:
    """Saving and a failure to save have none."""
    good = {name for name in STATES if render(STATES[name], AROUND, Language.ENGLISH).tone is Tone.GOOD}
    assert good == {"receipt", "already"}


def test_an_answer_says_which_service_it_means() -> None:
    """The one that is confirmed, the one that is chosen."""
    confirm = render(STATES["confirm_long"], AROUND, Language.RUSSIAN)
    assert confirm.answers[-1].service == ULTRASOUND.service
    chosen = render(STATES["choose_four"], AROUND, Language.RUSSIAN)
    assert [button.service for button, _, _ in chosen.choices] == [f"service-{n}" for n in range(4)]


def test_a_guardian_sees_for_whom() -> None:
    """The child's name, in the question before and where there is a choice."""
    screen = render(STATES["guardian"], AROUND, Language.ENGLISH)
    assert screen.detail == "Ерасыл Т."
    assert screen.answers[-1].service == "service-0"


def test_where_there_was_a_choice_there_is_a_way_back() -> None:
    """To the other services, or from the pad to the camera."""
    several = render(replace(STATES["confirm"], choice=True), AROUND, Language.ENGLISH)
    assert several.answers[0].intent == IntentKind.BACK
    assert IntentKind.BACK not in {
        button.intent for button in render(STATES["confirm"], AROUND, Language.ENGLISH).answers
    }
    assert [button.intent for button in render(STATES["fallback"], AROUND, Language.ENGLISH).answers] == [
        IntentKind.BACK
    ]


def test_a_room_that_nobody_named_is_left_out() -> None:
    """No "room " without a number."""
    chosen = render(STATES["choose_four"], AROUND, Language.ENGLISH)
    assert [place for _, _, place in chosen.choices][3] == "Today, 13:30"


def test_who_gives_the_service_stands_beside_time_and_room() -> None:
    """Where it is chosen and where it is asked for; what nobody named is left out."""
    asked = render(STATES["confirm"], AROUND, Language.ENGLISH)
    assert asked.service[1].endswith("Room 214  ·  Ахметова С.")
    chosen = render(STATES["choose_two"], AROUND, Language.ENGLISH)
    assert [place.rpartition("·")[2].strip() for _, _, place in chosen.choices] == ["Ахметова С.", "Нұрмұхамбетқызы Ғ."]


def test_printing_is_offered_where_a_printer_is() -> None:
    """Otherwise the code on the screen is the receipt."""
    with_printer = render(STATES["receipt"], AROUND, Language.ENGLISH)
    without = render(STATES["receipt"], replace(AROUND, printer=False), Language.ENGLISH)
    assert with_printer.answers[0].intent == PRINT
    assert [button.intent for button in without.answers] == [IntentKind.CLOSE]


def test_the_countdown_rounds_up_and_never_goes_below_nothing() -> None:
    """Until the last moment there is a second left."""
    for left, seconds in ((9.2, "10 секунд"), (1.0, "1 секунду"), (0.2, "1 секунду"), (-0.3, "0 секунд")):
        screen = render(Snapshot(NOW, State.RECEIPT, receipt=RECEIPT, seconds_left=left), AROUND, Language.RUSSIAN)
        assert f"{seconds}" in screen.note.split("через ")[1]


@pytest.mark.parametrize(
    ("number", "ru"),
    [
        *((0, "секунд"), (1, "секунду"), (2, "секунды"), (4, "секунды"), (5, "секунд"), (11, "секунд"), (12, "секунд")),
        *((14, "секунд"), (21, "секунду"), (22, "секунды"), (25, "секунд"), (111, "секунд"), (121, "секунду")),
    ],
)
def test_russian_counts_in_three_forms(number: int, ru: str) -> None:
    """The cardinal rules of CLDR."""
    assert count_text(Count.CLEARS_IN, number, Language.RUSSIAN).split()[-1] == ru


@pytest.mark.parametrize(("number", "en"), [(0, "seconds"), (1, "second"), (2, "seconds"), (21, "seconds")])
def test_english_counts_in_two_forms_and_kazakh_in_one(number: int, en: str) -> None:
    """After a number a Kazakh noun stays as it is."""
    assert count_text(Count.CLEARS_IN, number, Language.ENGLISH).split()[-1] == en
    assert count_text(Count.CLEARS_IN, number, Language.KAZAKH) == f"Экран {number} секундтан кейін тазарады"


def test_a_desk_that_starts_says_so() -> None:
    """Before the first snapshot, with the languages at hand."""
    screen = starting(Surroundings("№ 5"), Language.ENGLISH)
    assert (screen.headline, screen.clinic) == ("Starting…", "№ 5")
    assert repr(screen) == "<Screen redacted>"
