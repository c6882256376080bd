"""Puts together what watches a change of packs or settings at one desk: shadow run, probations, the word to the fund.

A part of the composition root. Which packs and settings are opened is `packs_in_use`'s and `settings_in_use`'s, how a
new one is judged `core.shadow`'s and `core.trial`'s, what is said `pack_report`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from appliance.config import Config
from appliance.core.machine_events import PackInUse
from appliance.core.session import State as VisitState
from appliance.core.snapshot import Snapshot
from appliance.managed import configuration_digest
from appliance.pack_report import Run, pack_in_use
from appliance.packs_in_use import Delivered, OpenedPacks, PacksInMemory, ring_of, slots_of
from appliance.probation import Probation
from appliance.settings_in_use import Managed, known_of_settings, slots_of_settings
from appliance.shadow import Shadow, Watching, shadow_file
from appliance.shadow_link import ShadowLink, command
from models.slot_state import State
from sync.clock import Clock
from sync.home import Home


@dataclass(frozen=True, slots=True)
class Running:
    """What a desk runs. packs: as they were opened. delivered: with the desk. memory: of packs in this process."""

    home: Home
    clock: Clock
    config: Config
    managed: Managed
    packs: OpenedPacks
    delivered: Delivered
    memory: PacksInMemory
    software: str


@dataclass(frozen=True, slots=True)
class Trials:
    """What sees the visits beside the screen; nothing where nothing may change.

    probations: watch how visits end with the pack and the settings, and for others. shadow: lets a new pack see them.
    """

    probations: tuple[Probation, ...] = ()
    shadow: Shadow | None = None

    def beside(self, publish: Callable[[Snapshot], None]) -> Callable[[Snapshot], None]:
        """Publishes a snapshot, and lets them see it. Raises PackChanged then, as `Probation.see`."""

        def all_of_them(snapshot: Snapshot) -> None:
            publish(snapshot)
            if self.shadow is not None:
                self.shadow.see(snapshot)
                if self.shadow.preparing and snapshot.state is VisitState.IDLE:
                    return  # the desk changes packs when the new one is in memory
            for probation in self.probations:
                probation.see(snapshot)

        return all_of_them

    def close(self) -> None:
        """End what runs beside."""
        if self.shadow is not None:
            self.shadow.close()


NO_TRIALS: Final = Trials()


def begin_trials(running: Running, sign: Callable[[PackInUse], object]) -> Trials:
    """Watch from now on. sign: tells the fund what is in use, and what became of others: now, and when that changes."""
    home, clock, managed, packs = running.home, running.clock, running.managed, running.packs
    slots, run = slots_of(home), _run(running)

    def tell() -> None:
        sign(pack_in_use(run, slots.state(), known_of_settings(home)))

    if State() != slots.state() or State() != known_of_settings(home):
        tell()  # nobody is told anything where the desk follows no publishers
    watch = partial(Probation, monotonic=clock.monotonic, scored=packs.first.quality is not None, changed=tell)
    folder, settings = home.root / "updates", slots_of_settings(home)
    probations = (
        watch(slots, folder / "visits.json", packs.release, trial=packs.trial),
        watch(settings, folder / "settings_visits.json", managed.release, trial=managed.trial),
    )
    return Trials(probations, Shadow(slots, shadow_file(home), clock.monotonic, _watching(running), tell))


def _run(running: Running) -> Run:
    """What is said of it."""
    return Run(
        running.packs.first.digest,
        running.packs.release,
        running.managed.release,
        ring_of(running.home),
        configuration_digest(running.config),
        running.config.policy.policy_id,
        running.software,
    )


def _watching(running: Running) -> Watching:
    home, memory, licences = running.home, running.memory, running.delivered.licences
    monotonic = running.clock.monotonic

    def link(pack: Path) -> ShadowLink:
        return ShadowLink(command(pack, licences, home.root), monotonic)

    def prepare(pack: Path) -> None:
        memory.examine(memory.open(pack, licences), running.config.policy, monotonic)

    return Watching(link, prepare, lambda: known_of_settings(home).on_trial is None)
