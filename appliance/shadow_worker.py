"""A thread that waits for the process with the new pack, so that nobody else does.

What a visit is and what is answered belongs to `shadow_wire`, the process to `shadow_link`.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from appliance.core.shadow import Compared
from appliance.shadow_link import Broken, ShadowLink
from appliance.shadow_wire import Ready, Visit

_log = logging.getLogger(__name__)

Link = Callable[[Path], ShadowLink]
"""Starts the process for the pack in a folder. Raises OSError."""


class ShadowWorker:
    """A thread that waits for the process, so that nobody else does."""

    def __init__(self, link: Link, folder: Path) -> None:
        self._visits: queue.Queue[Visit | None] = queue.Queue(maxsize=1)
        self.answers: queue.SimpleQueue[Ready | Compared | Broken] = queue.SimpleQueue()
        self._link, self._folder = link, folder
        self._running: ShadowLink | None = None
        self._ended = False
        threading.Thread(target=self._run, name="shadow", daemon=True).start()

    def offer(self, visit: Visit) -> None:
        """Let the pack see a visit; one that comes while another waits is not seen by it."""
        if self._ended:
            return  # nobody would take it out again, and it is pictures of a patient
        try:
            self._visits.put_nowait(visit)
        except queue.Full:
            _log.debug("a visit was not shown to the new pack: it is still busy")

    def end(self) -> None:
        """End the process, also in the middle of an answer."""
        self._ended = True
        if self._running is not None:
            self._running.kill()
        while True:
            try:
                self._visits.put_nowait(None)
            except queue.Full:
                with contextlib.suppress(queue.Empty):  # taken by the thread in this very moment
                    self._visits.get_nowait()
            else:
                return

    def _run(self) -> None:
        try:
            link = self._running = self._link(self._folder)
        except OSError as error:
            _log.warning("no process to watch the new pack with: %s", error.strerror)
            self.end()
            return
        try:
            said: Ready | Compared | Broken = link.open()
            while not isinstance(said, Broken) and not self._ended:
                self.answers.put(said)
                visit = self._visits.get()
                if visit is None:
                    return
                said = link.compare(visit)
                del visit
            self.answers.put(said)
        finally:
            link.close()
