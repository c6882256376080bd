"""Ends a window's program when the system asks for it (SIGTERM, SIGINT), between two of Qt's events.

Python runs its handlers wherever it happens to be, and that may be in the middle of a painter called by Qt. To quit
there takes the window from under it, and Qt 6.11 crashes.
"""

import signal

from PySide6.QtCore import QCoreApplication, QTimer


def end_when_told(app: QCoreApplication) -> None:
    """From here on those signals end `app.exec()`; Python sees them when Qt next calls it, so some timer must run."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: QTimer.singleShot(0, app.quit))
