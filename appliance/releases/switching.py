"""Goes from one release to another and back: what is asked before, what is counted meanwhile, when a trial ends.

Each step is one write of the state; the link follows (`shelf`). Services are started anew after the state is let go:
a service that starts asks for it itself.
"""

from dataclasses import dataclass

from appliance.releases.errors import (
    NothingToDo,
    NotWell,
    RecordsNewer,
    RecordsUnreadable,
    ReleaseDamaged,
    ReleaseGivenUp,
    ReleaseInUse,
)
from appliance.releases.shelf import Shelf
from appliance.releases.state import LOOKS_WELL, MAX_LOOKS, State, Version
from appliance.releases.system import System


@dataclass(frozen=True, slots=True)
class Switching:
    """The commands of the guard, over one machine."""

    shelf: Shelf
    system: System

    def adopt(self, version: Version) -> State:
        """The first release of a machine is used without a trial; on one that has a release nothing changes."""
        with self.shelf.held():
            state = self.shelf.state()
            if state.in_use is None or state.in_use not in self.shelf.versions():
                state = state.adopted(version)
                self.shelf.keep(state)
            return state

    def activate(self, version: Version, *, one_way: bool = False, again: bool = False, restart: bool = True) -> State:
        """Put a release on trial, or, one way, in use for good.

        Said again for the release on trial it starts the services anew. Raises ReleaseMissing, ReleaseDamaged,
        ReleaseGivenUp, RecordsUnreadable, RecordsNewer, NothingToDo.
        """
        complaint = self.system.complaint(version, self.shelf.folder(version))
        if complaint:
            raise ReleaseDamaged(f"release {version}: {complaint}")
        with self.shelf.held():
            state = self.shelf.state()
            if version != state.trial or one_way:
                state = self._switched(state, version, one_way=one_way, again=again)
                self.shelf.keep(state)
            # else: cut off before the services were started anew, and said again
        if restart:
            self.system.restart()
        return state

    def confirm(self, *, seen_working: bool = False) -> State:
        """Keep the release on trial. seen_working: a person says so, in place of the services and the doctor.

        Raises NothingToDo, NotWell.
        """
        state = self.shelf.state()
        trial = state.trial
        if trial is None:
            raise NothingToDo("no release is on trial")
        trouble = "" if seen_working else self.system.trouble(state.started)
        if trouble:
            raise NotWell(f"release {trial} is not kept: {trouble}")
        with self.shelf.held():
            state = self.shelf.state()
            if state.trial == trial:
                state = state.confirmed()
                self.shelf.keep(state)
        return state

    def roll_back(self, *, restart: bool = True) -> State:
        """End the trial, or go back to the release that was proven before.

        Raises NothingToDo, RecordsNewer, ReleaseMissing.
        """
        with self.shelf.held():
            state = self.shelf.state()
            if state.trial is not None:
                state = state.ended("rolled back by hand")
            elif state.before is not None:
                self._require_readable(state.proven, state.before, one_way=True)
                state = state.adopted(state.before)
            else:
                raise NothingToDo("there is no release to go back to")
            self.shelf.keep(state)
        if restart:
            self.system.restart()
        return state

    def starting(self, unit: str) -> State:
        """A service is about to start: count it, or end a trial whose starts are used up. Before each start."""
        with self.shelf.held():
            state = self.shelf.state()
            if state.trial is None:
                return state
            gone = state.trial not in self.shelf.versions()
            spent = gone or state.exhausted(unit)
            why = "it is not here any more" if gone else f"{unit} did not stay up in its starts"
            state = state.ended(why) if spent else state.starting(unit)
            self.shelf.keep(state)
        if spent:
            self.system.restart(but=unit)
        return state

    def stopped(self, unit: str, *, well: bool) -> State:
        """A service has ended. well: by itself or when asked, but without a failure; only the latter counts anew.

        The compositor ends well whatever became of the window in it, so a crash would look like a stop.
        """
        well = well and self.shelf.state().trial is not None and self.system.asked_to_stop(unit)
        with self.shelf.held():
            state = self.shelf.state()
            after = state.ended_well(unit) if well else state
            if after != state:
                self.shelf.keep(after)
            return after

    def watch(self) -> State:
        """One look of the timer at a trial: kept when it has been well for long, ended when its time is up."""
        with self.shelf.held():
            state = self.shelf.state()
            if state.trial is None:
                return state
            looked = state.looked()
            self.shelf.keep(looked)
        well = not self.system.trouble(looked.started)
        with self.shelf.held():
            state = self.shelf.state()
            if state.trial != looked.trial:
                return state
            state = state.felt(well=well)
            late = state.looks >= MAX_LOOKS
            if state.well >= LOOKS_WELL:
                state = state.confirmed()
            elif late:
                state = state.ended("nobody confirmed it, and it was not well for long enough")
            ended = state.trial is None and state.proven != looked.trial
            self.shelf.keep(state)
        if ended:
            self.system.restart()
        return state

    def require_removable(self, version: Version) -> None:
        """Raises ReleaseInUse for what runs or is the way back of a trial."""
        if self.shelf.state().kept(version):
            raise ReleaseInUse(f"release {version} is in use here")

    def _switched(self, state: State, version: Version, *, one_way: bool, again: bool) -> State:
        if version == state.in_use:
            raise NothingToDo(f"release {version} is in use")
        why = state.why_given_up(version)
        if why is not None and not again:
            raise ReleaseGivenUp(f"release {version} was given up here: {why}")
        self._require_readable(state.proven, version, one_way=one_way)
        return state.adopted(version) if one_way or state.proven in {None, version} else state.tried(version)

    def _require_readable(self, proven: Version | None, wanted: Version, *, one_way: bool) -> None:
        """Both know the same steps of the records' format: a trial neither moves records nor lacks a way back."""
        if proven is None or proven not in self.shelf.versions():
            return
        now, then = self.shelf.formats(proven), self.shelf.formats(wanted)
        lacking = sorted(step for side, steps in now.items() for step in steps - then[side])
        if lacking:
            raise RecordsNewer(f"release {wanted} does not know {lacking[0]}, which the records here may have")
        new = sorted(step for side, steps in then.items() for step in steps - now[side])
        if new and not one_way:
            raise RecordsUnreadable(
                f"release {wanted} would move the records on ({new[0]}); {proven} could not read them"
            )
