"""The desk's screen in a terminal: who answers, and what is shown where."""

import contextlib
import io
import os
import pty
import select
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.cli.terminal import Confirm, Terminal
from appliance.core.decision import Reason
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Instant
from appliance.texts import Language, advice_on, reception_text
from tests.fakes.reception import offer

ASKED = Snapshot(Instant(1.0), State.CONFIRM, greeting="Ali A.", offers=(offer("xray"),), choice=True)
WHICH = Snapshot(Instant(1.0), State.CHOOSE, greeting="Ali A.", offers=(offer("xray"), offer("blood")), choice=True)
SILENT = Snapshot(Instant(1.0), State.STILL_THERE)


@contextlib.contextmanager
def keyboard(stream: io.TextIOBase) -> Iterator[None]:
    """What is typed comes from here."""
    before, sys.stdin = sys.stdin, stream
    try:
        yield
    finally:
        sys.stdin = before


def answers(
    typed: str, confirm: Confirm = Confirm.ASK, *, asked: Snapshot = ASKED, quiet: bool = False
) -> tuple[list[Intent], Terminal]:
    """What is submitted when this is typed after the question."""
    said: list[Intent] = []
    terminal = Terminal(Language.ENGLISH, confirm, quiet=quiet)
    terminal.answer_to(said.append)
    with keyboard(io.StringIO(typed)):
        terminal.show(asked)
    return said, terminal


@pytest.mark.parametrize(
    ("typed", "intent"),
    [
        ("\n", Intent(IntentKind.CONFIRM, "xray")),
        ("0\n", Intent(IntentKind.NOT_ME)),
        ("-\n", Intent(IntentKind.NOT_MY_SERVICE)),
        ("?\n", Intent(IntentKind.HELP)),
        ("<\n", Intent(IntentKind.BACK)),
        ("2\nyes\n 1 \n", Intent(IntentKind.CONFIRM, "xray")),
    ],
)
def test_the_keyboard_answers(typed: str, intent: Intent) -> None:
    """The service by Enter or its number, the refusals by their keys; anything else is asked again."""
    assert answers(typed)[0] == [intent]


@pytest.mark.parametrize(
    ("typed", "intent"),
    [
        ("\n", Intent(IntentKind.CHOOSE, "xray")),
        ("<\n2\n", Intent(IntentKind.CHOOSE, "blood")),
        ("3\n?\n", Intent(IntentKind.HELP)),
    ],
)
def test_with_several_services_the_keyboard_chooses(typed: str, intent: Intent) -> None:
    """The first by Enter, any by its number; there is nothing to go back to yet."""
    assert answers(typed, asked=WHICH)[0] == [intent]


def test_a_recording_s_patient_chooses_the_first() -> None:
    """Or is not the one who was recognised."""
    assert answers("", Confirm.YES, asked=WHICH)[0] == [Intent(IntentKind.CHOOSE, "xray")]
    assert answers("", Confirm.NO, asked=WHICH)[0] == [Intent(IntentKind.NOT_ME)]


def test_whoever_still_reads_presses_enter() -> None:
    """Nobody else is asked: a recording's patient has answered, and a closed keyboard lets the time run out."""
    assert answers("\n", asked=SILENT)[0] == [Intent(IntentKind.STAY)]
    assert answers("", asked=SILENT)[0] == []
    assert answers("\n", Confirm.YES, asked=SILENT)[0] == []


def test_a_child_s_service_is_told_from_one_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    """By the child's name."""
    answers("1\n", asked=replace(WHICH, offers=(offer("xray"), replace(offer("vaccine"), child="Aru S."))))
    assert "(Aru S.)" in capsys.readouterr().out


def test_the_receptionist_reads_why_a_face_alone_does_not_decide(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, in the desk's language; other refusals need no word more, and a machine reads none."""
    for reasons, told in (((Reason.LOOK_ALIKE,), True), ((Reason.NO_MATCH, Reason.STAFF_FACE), True), ((), False)):
        shown = Snapshot(Instant(1.0), State.NOT_RECOGNISED, refused=reasons)
        for quiet in (False, True):
            terminal = Terminal(Language.ENGLISH, Confirm.NO, quiet=quiet)
            terminal.show(shown)
            terminal.show(shown)
            advice = advice_on(reasons)
            assert (advice is not None) == told
            out = capsys.readouterr().out
            assert out.count(reception_text(advice, Language.ENGLISH) if advice else "(none)") == int(
                told and not quiet
            )


@pytest.mark.parametrize("typed", ["", "7\n"])
def test_without_a_keyboard_nothing_is_answered(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A service without standard input: the question times out, the desk goes on, and somebody is told."""
    assert answers(typed)[0] == []
    assert "nobody can answer" in capsys.readouterr().err


@pytest.mark.parametrize(("confirm", "kind"), [(Confirm.YES, IntentKind.CONFIRM), (Confirm.NO, IntentKind.NOT_ME)])
def test_the_answer_for_a_recording_is_given_beforehand(confirm: Confirm, kind: IntentKind) -> None:
    """Nobody is asked."""
    assert [intent.kind for intent in answers("", confirm)[0]] == [kind]


def test_output_for_a_machine_holds_no_question(capsys: pytest.CaptureFixture[str]) -> None:
    """The question is there, on the error stream."""
    answers("1\n", quiet=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "12" in shown.err


class Typist(io.TextIOBase):
    """A terminal; somebody types a line once one is waited for."""

    def __init__(self, typed: bytes) -> None:
        self._keys, self._screen = pty.openpty()
        self._typed = typed

    def press(self, typed: bytes) -> None:
        """Type before anybody asks."""
        os.write(self._keys, typed)
        assert select.select([self._screen], [], [], 10)[0]

    def fileno(self) -> int:
        """The terminal's own side."""
        return self._screen

    def isatty(self) -> bool:
        """It is one."""
        return os.isatty(self._screen)

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]  # a line of text, as stdin gives it
        """The next line that was typed."""
        assert size == -1
        os.write(self._keys, self._typed)
        return os.read(self._screen, 100).decode()

    def unplug(self) -> None:
        """Close both sides."""
        os.close(self._keys)
        os.close(self._screen)


def test_what_was_typed_before_the_question_is_no_answer() -> None:
    """The Enter of the patient before must not confirm this one's visit."""
    said: list[Intent] = []
    terminal = Terminal(Language.ENGLISH, Confirm.ASK)
    terminal.answer_to(said.append)
    typist = Typist(b"0\n")
    typist.press(b"1\n")
    with keyboard(typist):
        terminal.show(ASKED)
    typist.unplug()
    assert said == [Intent(IntentKind.NOT_ME)]


@pytest.mark.parametrize("before", [State.CHALLENGE, State.CONFIRM])
def test_who_leaves_in_the_middle_has_ended_a_visit(before: State) -> None:
    """`--once` is over, and a machine is told."""
    terminal = Terminal(Language.ENGLISH, Confirm.YES)
    terminal.answer_to(lambda _: None)
    for state in (before, State.LEAVING):
        terminal.show(Snapshot(Instant(1.0), state, offers=(offer("xray"),)))
    assert (terminal.visits, terminal.outcomes[0]["state"]) == (1, "leaving")


def test_a_visit_is_counted_once() -> None:
    """The way out belongs to the visit that was shown before."""
    terminal = Terminal(Language.ENGLISH, Confirm.YES)
    for state in (State.CHALLENGE, State.RECEIPT, State.LEAVING, State.IDLE):
        terminal.show(Snapshot(Instant(1.0), state, receipt="1" if state is State.RECEIPT else ""))
    assert [outcome["state"] for outcome in terminal.outcomes] == ["receipt"]
