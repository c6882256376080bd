"""What Qt must find in the environment before it is imported.

Importing this module sets it; whoever imports PySide6 imports this first. Settings of the user win, except where the
window could not work with them.
"""

import os
from collections.abc import MutableMapping


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set what the window needs.

    The basic render loop, because a threaded one dead-locks when a picture is taken while Python paints; the software
    renderer unless chosen otherwise, because a reception PC without a GPU would paint with llvmpipe at a whole core.
    Qt's paths that an OpenCV wheel may have set lead to another Qt.
    """
    for foreign in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in environment.get(foreign, ""):
            del environment[foreign]
    environment["QSG_RENDER_LOOP"] = "basic"
    environment.setdefault("QT_QUICK_BACKEND", "software")
    environment.setdefault("QT_QUICK_CONTROLS_STYLE", "Basic")
    environment.setdefault("QT_WAYLAND_DISABLE_WINDOWDECORATION", "1")
    if not any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        environment["QT_QPA_PLATFORM"] = "offscreen"


prepare(os.environ)
