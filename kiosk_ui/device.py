"""The page about the device in the reception's window: what was found, in words, with what to do.

The looking takes seconds and happens on a thread of its own; what is looked at is `device_page`'s.
"""

import threading
from collections.abc import Callable

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.core.device import DevicePage, Health
from appliance.texts import Language, finding_text, health_text, part_text, remedy_text
from kiosk_ui.mailbox import Mailbox

_TONES = {Health.OK: "good", Health.WARNING: "attention", Health.FAILED: "bad"}


class DeviceBoard(QObject):
    """What the QML files see as `device`."""

    pageChanged = Signal()  # noqa: N815 - called from QML

    def __init__(self, look: Callable[[], DevicePage], language: Language) -> None:
        """look: examines the device; called on a thread of its own."""
        super().__init__()
        self._look, self._language = look, language
        self._found: DevicePage | None = None
        self._page: dict[str, object] = {"lines": [], "busy": False, "device": "", "at": ""}
        self._box: Mailbox[DevicePage] = Mailbox(self._show)
        self._thread: threading.Thread | None = None

    page = Property(dict, lambda self: self._page, notify=pageChanged)

    @property
    def values(self) -> dict[str, object]:
        """What QML holds at this moment."""
        return self._page

    @Slot()
    def look(self) -> None:
        """Examine the device; a look that is under way is not begun again."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=lambda: self._box.put(self._look()), name="doctor", daemon=True)
        self._put(busy=True)
        self._thread.start()

    def speak(self, language: Language) -> None:
        """Say what was found in another language."""
        self._language = language
        self._put(busy=bool(self._page["busy"]))

    def close(self) -> None:
        """Wait for a look that is under way."""
        if self._thread is not None:
            self._thread.join(30)

    def _show(self, page: DevicePage) -> None:
        self._found = page
        self._put(busy=False)

    def _put(self, *, busy: bool) -> None:
        found, language = self._found, self._language
        lines = [
            {
                "part": part_text(line.part, language),
                "health": health_text(line.health, language),
                "tone": _TONES[line.health],
                "found": finding_text(line.fact, language),
                "remedy": "" if line.health is Health.OK else remedy_text(line.fact.finding, language),
            }
            for line in (found.lines if found else ())
        ]
        at = found.at[11:16] if found else ""
        self._page = {"lines": lines, "busy": busy, "device": found.device if found else "", "at": at}
        self.pageChanged.emit()
