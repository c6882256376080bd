"""The one place that imports and configures OpenCV.

Everybody else writes `from appliance.opencv import cv2`; what is done with it belongs to
`appliance.capture` and `appliance.face`. The headless wheel is used: it needs no system library and leaves Qt alone.
"""

import cv2 as cv2  # noqa: PLC0414  (the explicit re-export mypy asks for)

# One worker thread owns the pipeline; OpenCV's pool would compete with it (measured: 2 cores busy, nothing gained).
cv2.setNumThreads(1)

# A camera that cannot be opened is told by our own failure with its remedy, not by OpenCV's lines on stderr.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
