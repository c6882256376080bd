"""The desk's screen where there is no window: lines on the terminal, in the patient's language.

It renders snapshots and sends intents, as any front end does; it decides nothing.
"""

from collections.abc import Callable
from enum import StrEnum

import typer

from appliance.cli.output import say
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.texts import Language, answer_text, line

_ENDS = frozenset(
    {State.RECEIPT, State.NO_SERVICE, State.ALREADY, State.NOT_RECOGNISED, State.NOT_ME, State.SAVE_FAILED}
)


class Confirm(StrEnum):
    """Who answers the question whether the service is the right one."""

    ASK = "ask"
    YES = "yes"
    NO = "no"


class Terminal:
    """Shows each new line once. visits: how many ended. outcomes: how each ended, for machines."""

    def __init__(self, language: Language, confirm: Confirm, *, quiet: bool = False) -> None:
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
            self._state = shown.state
            self._changed(shown)

    def _changed(self, shown: Snapshot) -> None:
        if shown.state is State.CONFIRM:
            self._answer(shown)
        elif shown.state in _ENDS:
            self.visits += 1
            self.outcomes.append({"state": shown.state.value, "receipt": shown.receipt, "failure": shown.failure})
            if shown.receipt and not self._quiet:
                say(f"№ {shown.receipt}")

    def _answer(self, shown: Snapshot) -> None:
        if self._submit is None:
            raise RuntimeError("the terminal has nobody to answer to")
        first = shown.offers[0].service
        if self._confirm is Confirm.YES:
            self._submit(Intent(IntentKind.CONFIRM, first))
        elif self._confirm is Confirm.NO:
            self._submit(Intent(IntentKind.NOT_ME))
        else:
            self._submit(self._ask(shown))

    def _ask(self, shown: Snapshot) -> Intent:
        for number, offer in enumerate(shown.offers, 1):
            say(f"{number}. {offer.starts_at[11:]} {offer.name(self._language)}, {offer.room}")
        say(f"0. {answer_text(IntentKind.NOT_ME, self._language)}")
        say(f"-. {answer_text(IntentKind.NOT_MY_SERVICE, self._language)}")
        while True:
            given = str(typer.prompt(answer_text(IntentKind.CONFIRM, self._language), default="1"))
            if given == "0":
                return Intent(IntentKind.NOT_ME)
            if given == "-":
                return Intent(IntentKind.NOT_MY_SERVICE)
            if given.isdigit() and 1 <= int(given) <= len(shown.offers):
                return Intent(IntentKind.CONFIRM, shown.offers[int(given) - 1].service)
