"""The one place that imports and configures OpenCV: one thread, no trace in Qt's environment.

Everybody else writes `from appliance.opencv import cv2`; what is done with it belongs to
`appliance.capture` and `appliance.face`.
"""

import os

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")

# opencv-python points Qt at its own plugins on import, which breaks PySide6 in the same process.
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2 as cv2  # noqa: E402, PLC0414  (after the snapshot; the explicit re-export mypy asks for)

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

# One worker thread owns the pipeline; OpenCV's pool would compete with it (measured: 2 cores busy, nothing gained).
cv2.setNumThreads(1)
