"""Use case: a camera is admitted to the desk, or refused; a refusal and a change of camera are recorded events.

Whether it may be used is judged in `core.camera`, who it is was read in `capture.camera_identity`.
"""

from collections.abc import Sequence

from appliance.checkin import append
from appliance.core.camera import Allowed, CameraIdentity, objection
from appliance.core.errors import CameraRefused
from appliance.core.events import Alarm
from appliance.records.cameras import Cameras
from sync.clock import Clock
from sync.database import Database, immediate
from sync.ledger import Ledger


def demand(camera: CameraIdentity, allowed: Sequence[Allowed], streams: Sequence[str]) -> None:
    """Raise CameraRefused for a camera that may not serve; nothing is recorded."""
    why = objection(camera, allowed, streams)
    if why is not None:
        raise CameraRefused(f"camera {camera.node} ({camera.ids}) may not be used: {why.value.replace('_', ' ')}")


class Admission:
    """The door of one desk for cameras; lives on the thread that opened the database."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        clock: Clock,
        allowed: Sequence[Allowed],
        streams: Sequence[str],
        software: str,
    ) -> None:
        """allowed, streams: the clinic's list. software: version named in alarm events."""
        self._db, self._ledger, self._clock = db, ledger, clock
        self._allowed, self._streams, self._software = allowed, streams, software
        self._cameras = Cameras(db)

    def admit(self, camera: CameraIdentity) -> None:
        """Let a camera in, with an event where it is another than last time. Raises CameraRefused, with its event.

        The first camera of a desk is remembered without an event: nothing changed.
        """
        try:
            demand(camera, self._allowed, self._streams)
        except CameraRefused:
            why = objection(camera, self._allowed, self._streams)
            with immediate(self._db):
                self._alarm("camera_refused", f"{why}: {camera.ids}")
            raise
        last = self._cameras.last()
        if last == camera.fingerprint:
            return
        with immediate(self._db):
            if last is not None:
                self._alarm("camera_changed", camera.ids)
            self._cameras.remember(camera.fingerprint, self._clock.moment().wall)

    def _alarm(self, what: str, detail: str) -> None:
        append(self._ledger, Alarm(what, detail, self._software), self._clock.moment())
