"""Takes a picture of every state the window comes to, in every language, once; for looking at and for comparing.

Drawing is Qt's; when a state has been reached is the desk's.
"""

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtQuick import QQuickWindow

from appliance.texts import Language
from kiosk_ui.kiosk import Kiosk, Shown
from kiosk_ui.samples import STATES, drawn_person


class Album:
    """Pictures of one window in a folder: `state.detail_language.png`."""

    def __init__(self, folder: Path, window: QQuickWindow, kiosk: Kiosk) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._window, self._kiosk = folder, window, kiosk
        self.taken: dict[str, bool] = {}

    def complete(self) -> None:
        """The states that have not come up, from samples."""
        come = {name.split(".")[0] for name in self.taken}
        for name, snapshot in STATES.items():
            if snapshot.state.value not in come:
                self._kiosk.show(Shown(snapshot, name * 20 if snapshot.receipt else ""))
                self._kiosk.show_frame(drawn_person())
                self.take(f"{snapshot.state}.{name}")

    def lacks(self, name: str, *, calm: bool = False) -> bool:
        """Whether there is no picture of this name yet. calm: or none but of a moment in which something moved."""
        return name not in self.taken or (calm and not self.taken[name])

    def take(self, name: str, *, calm: bool = False) -> None:
        """The window as it is now, in each language, in the place of an earlier picture of this name."""
        self.taken[name] = calm
        before = self._kiosk.language
        for language in Language:
            self._kiosk.set_language(language)
            QCoreApplication.processEvents()
            self._window.grabWindow().save(str(self._folder / f"{name}_{language.value}.png"))
        self._kiosk.set_language(before)
