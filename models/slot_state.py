"""What a desk knows of its two pack slots: which pack is proven, which is on trial, which is never tried again; pure.

Keeping it on the disk, and the packs themselves, belongs to `slots`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from models import document
from models.document import Fields, Json
from models.errors import PackDamaged
from models.releases import Wanted

MAX_TRIES: Final = 3
"""Starts that a new pack gets before it must have been marked good; U-Boot's usual bootlimit. One would give a pack up
because somebody pulled the plug."""

STATE_NAME: Final = "state.json"
_FORMAT: Final = 1
_HIGHEST: Final = (1 << 53) - 1
_MAX_BAD: Final = 500


class Slot(StrEnum):
    """The names of the slots, and of their folders."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Slot":
        """The one beside it."""
        return Slot.B if self is Slot.A else Slot.A


class Fault(StrEnum):
    """Why a pack is not used any more; goes into the desk's report."""

    CRASHED = "crashed"
    """It was started as often as allowed and never marked good, or the process that tried it died of it."""
    SELF_TEST = "self_test"
    """It computes something else than it should, or tells nobody apart."""
    SLOW = "slow"
    """Beside the pack in use it took too long, or gave no answer."""
    DIFFERS = "differs"
    """Beside the pack in use it saw other faces, passed other frames, or told people apart otherwise."""
    DRIFT = "drift"
    """With it the desk acquires or recognises fewer people than before."""
    QUALITY = "quality"
    """With it fewer looks pass the gate than before, or the pack's quality model scores them worse."""
    INVALID = "invalid"
    """Settings that this desk's program does not accept."""
    WITHDRAWN = "withdrawn"
    """The publishers took it back."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A pack that is never tried here again."""

    pack: Wanted
    fault: Fault


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of the slots. packs: the whole packs in them. good: in use and proven. trying: in use on trial.

    waits: the one in `trying` decides nothing yet, it is watched beside the one in use. tries: starts of the pack on
    trial. floor: no release below it is used. good None: the delivered pack is proven.
    """

    packs: tuple[tuple[Slot, Wanted], ...] = ()
    good: Slot | None = None
    trying: Slot | None = None
    tries: int = 0
    floor: int = 0
    waits: bool = False
    bad: tuple[Bad, ...] = ()

    def pack(self, slot: Slot | None) -> Wanted | None:
        """What is in a slot."""
        return next((pack for name, pack in self.packs if name is slot), None)

    def is_bad(self, digest: str) -> bool:
        """Whether a pack failed here or was withdrawn."""
        return any(one.pack.digest == digest for one in self.bad)

    @property
    def in_use(self) -> Slot | None:
        """The slot whose pack the next start opens; None: the delivered pack."""
        return self.good if self.waits else self.trying or self.good

    @property
    def on_trial(self) -> Wanted | None:
        """The pack in use that has yet to prove itself."""
        return None if self.waits else self.pack(self.trying)

    @property
    def waiting(self) -> Wanted | None:
        """The pack that is watched beside the one in use."""
        return self.pack(self.trying) if self.waits else None

    def installed(self, slot: Slot, pack: Wanted, *, waits: bool = False) -> "State":
        """A whole pack is in a slot; it is on trial, or waits for its trial.

        What was on trial in the other slot is gone: it was never proven, and nobody may fall back on it.
        """
        kept = tuple(pair for pair in self.packs if pair[0] is self.good and pair[0] is not slot)
        good = None if self.good is slot else self.good
        return replace(self, packs=(*kept, (slot, pack)), good=good, trying=slot, tries=0, waits=waits)

    def promoted(self, pack: Wanted) -> "State":
        """The pack that waited goes on trial."""
        return replace(self, waits=False, tries=0) if self.waiting == pack else self

    def marked_good(self, pack: Wanted) -> "State":
        """The pack on trial has proven itself; the one before it becomes the oldest that may be used."""
        before, tried = self.pack(self.good), self.pack(self.trying)
        if tried is None or tried.digest != pack.digest or self.waits:
            return self
        floor = max(self.floor, min(before.release, tried.release) if before else 0)
        return replace(self, good=self.trying, trying=None, tries=0, floor=floor)

    def survived(self, pack: Wanted) -> "State":
        """The pack on trial did not crash this time."""
        tried = self.pack(self.trying)
        return replace(self, tries=0) if tried is not None and tried.digest == pack.digest else self

    def given_up(self, pack: Wanted, fault: Fault | None) -> "State":
        """A pack is not used any more, and the other slot's takes its place. fault None: it may come back."""
        state = self
        for slot, held in self.packs:
            if held.digest == pack.digest:  # a pack may have been released under two numbers
                proven = state.good is slot
                state = state.without(slot)
                if proven and state.trying is None and state.pack(slot.other) is not None:
                    state = replace(state, good=slot.other)
        if fault is None or state.is_bad(pack.digest):
            return state
        return replace(state, bad=(*state.bad, Bad(pack, fault))[-_MAX_BAD:])

    def obeyed(self, floor: int, withdrawn: tuple[str, ...]) -> "State":
        """What the publishers say is followed: the floor never sinks, withdrawn packs are struck."""
        state = replace(self, floor=max(self.floor, floor))
        for _, pack in self.packs:
            if pack.digest in withdrawn:
                state = state.given_up(pack, Fault.WITHDRAWN)
            elif pack.release < floor:
                state = state.given_up(pack, None)
        return state

    def without(self, slot: Slot) -> "State":
        """The same, with a slot that holds nothing."""
        return replace(
            self,
            packs=tuple(pair for pair in self.packs if pair[0] is not slot),
            good=None if self.good is slot else self.good,
            trying=None if self.trying is slot else self.trying,
            tries=0 if self.trying is slot else self.tries,
            waits=self.waits and self.trying is not slot,
        )


def write_state(state: State) -> bytes:
    """The bytes of a state."""
    value: dict[str, Json] = {"format": _FORMAT, "floor": state.floor, "tries": state.tries}
    for name, slot in (("good", state.good), ("trying", state.trying)):
        if slot is not None:
            value[name] = str(slot)
    if state.waits:
        value["waits"] = True
    value["packs"] = [{"slot": str(slot), **_wanted_json(pack)} for slot, pack in state.packs]
    value["bad"] = [{"fault": str(one.fault), **_wanted_json(one.pack)} for one in state.bad]
    return document.write(value)


def _wanted_json(pack: Wanted) -> dict[str, Json]:
    return {"release": pack.release, "digest": pack.digest}


def parse_state(data: bytes) -> State:
    """Read a state. Raises PackDamaged."""
    fields = document.read(data, STATE_NAME)
    fields.whole("format", _FORMAT, _FORMAT)
    state = State(
        floor=fields.whole("floor", 0, _HIGHEST),
        tries=fields.whole("tries", 0, MAX_TRIES),
        good=Slot(fields.choice("good", Slot)) if fields.has("good") else None,
        trying=Slot(fields.choice("trying", Slot)) if fields.has("trying") else None,
        waits=fields.flag("waits") if fields.has("waits") else False,
        packs=tuple((Slot(one.choice("slot", Slot)), _wanted(one)) for one in fields.objects("packs")),
        bad=tuple(_bad(one) for one in fields.objects("bad")),
    )
    fields.end()
    held = [slot for slot, _ in state.packs]
    named = {state.good, state.trying} - {None}
    if len(set(held)) != len(held) or not named <= set(held) or (state.waits and state.trying is None):
        raise PackDamaged(f"{STATE_NAME}: names a slot that holds nothing, or one twice")
    return state


def _bad(fields: Fields) -> Bad:
    fault = Fault(fields.choice("fault", Fault))
    return Bad(_wanted(fields), fault)


def _wanted(fields: Fields) -> Wanted:
    found = Wanted(fields.whole("release", 1, _HIGHEST), fields.sha256("digest"))
    fields.end()
    return found
