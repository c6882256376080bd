"""The desk's screen where there is no window: lines on the terminal, in the patient's language.

It renders snapshots and sends intents, as any front end does; it decides nothing.
"""

import sys
import termios
from collections.abc import Callable
from enum import StrEnum

from appliance.cli.output import prompt, say, warn
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.texts import Advice, Language, advice_on, answer_text, line, reception_text

_ENDS = frozenset(
    {
        State.RECEIPT,
        State.NO_SERVICE,
        State.TOO_EARLY,
        State.ALREADY,
        State.NOT_RECOGNISED,
        State.NOT_ME,
        State.HELP,
        State.SAVE_FAILED,
    }
)
_ASKED = frozenset({State.CHOOSE, State.GUARDIAN, State.CONFIRM})


class Confirm(StrEnum):
    """Who answers the question whether the service is the right one."""

    ASK = "ask"
    YES = "yes"
    NO = "no"


class Terminal:
    """Shows each new line once. visits: how many ended. outcomes: how each ended, for machines.

    A visit that ends without a screen of its own (walked off, no answer) shows as `leaving`.
    """

    def __init__(self, language: Language, confirm: Confirm, *, quiet: bool = False) -> None:
        """quiet: nothing but questions is shown, and those on the error stream."""
        self._language = language
        self._confirm = confirm
        self._quiet = quiet
        self._submit: Callable[[Intent], None] | None = None
        self._last = ""
        self._state = State.IDLE
        self.visits = 0
        self.outcomes: list[dict[str, str]] = []

    def answer_to(self, submit: Callable[[Intent], None]) -> None:
        """Where intents go."""
        self._submit = submit

    def show(self, shown: Snapshot) -> None:
        """Render one snapshot."""
        text = line(shown, self._language)
        if shown.failure:
            text = f"{text} ({shown.failure})"
        if text != self._last and not self._quiet:
            say(text)
        self._last = text
        if shown.state is not self._state:
            before, self._state = self._state, shown.state
            self._changed(before, shown)

    def _changed(self, before: State, shown: Snapshot) -> None:
        advice = advice_on(shown.refused)
        if advice is not None and not self._quiet:
            say(reception_text(advice, self._language))
        if shown.state is State.STILL_THERE and self._confirm is Confirm.ASK:
            self._answered(self._whether_there())
        elif shown.state in _ASKED:
            self._answered(self._answer(shown))
        elif shown.state in _ENDS or (shown.state is State.LEAVING and before not in _ENDS):
            self.visits += 1
            self.outcomes.append({"state": shown.state.value, "receipt": shown.receipt, "failure": shown.failure})
            if shown.receipt and not self._quiet:
                say(f"№ {shown.receipt}")
            if shown.unsigned and not self._quiet:
                say(reception_text(Advice.KEY_AWAY, self._language))

    def _answered(self, given: Intent | None) -> None:
        if self._submit is None:
            raise RuntimeError("the terminal has nobody to answer to")
        if given is None:
            warn("Standard input has ended: nobody can answer, and no visit is confirmed.")
        else:
            self._submit(given)

    def _answer(self, shown: Snapshot) -> Intent | None:
        """The answer to a question about services; None when there is none to come."""
        yes = IntentKind.CONFIRM if shown.state is State.CONFIRM else IntentKind.CHOOSE
        if self._confirm is Confirm.YES:
            return Intent(yes, shown.offers[0].service)
        if self._confirm is Confirm.NO:
            return Intent(IntentKind.NOT_ME)
        return self._ask(shown, yes)

    def _ask(self, shown: Snapshot, yes: IntentKind) -> Intent | None:
        """The answer from the keyboard; None when there is none to come. The desk waits meanwhile."""
        _forget_what_was_typed()
        refusals = {"0": IntentKind.NOT_ME, "-": IntentKind.NOT_MY_SERVICE, "?": IntentKind.HELP}
        if shown.choice and shown.state is not State.CHOOSE:
            refusals["<"] = IntentKind.BACK
        for number, offer in enumerate(shown.offers, 1):
            whose = f" ({offer.child})" if offer.child else ""
            what = ", ".join(filter(None, (offer.name(self._language), offer.room, offer.doctor)))
            self._tell(f"{number}. {offer.starts_at[11:]} {what}{whose}\n")
        for key, refusal in refusals.items():
            self._tell(f"{key}. {answer_text(refusal, self._language)}\n")
        while True:
            self._tell(f"{answer_text(yes, self._language)} [1]: ")
            typed = sys.stdin.readline()
            if not typed:
                return None
            given = typed.strip() or "1"
            if given in refusals:
                return Intent(refusals[given])
            if given.isdigit() and 1 <= int(given) <= len(shown.offers):
                return Intent(yes, shown.offers[int(given) - 1].service)

    def _whether_there(self) -> Intent | None:
        """Enter, by whoever still reads."""
        _forget_what_was_typed()
        self._tell(f"{answer_text(IntentKind.STAY, self._language)} [Enter]: ")
        return Intent(IntentKind.STAY) if sys.stdin.readline() else None

    def _tell(self, text: str) -> None:
        prompt(text, aside=self._quiet)


def _forget_what_was_typed() -> None:
    """A key pressed before the question, by whomever, is no answer to it."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
