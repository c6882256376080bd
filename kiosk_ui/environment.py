"""What Qt must find in the environment before it is imported.

Importing this module sets it; whoever imports PySide6 imports this first. Settings of the user win, except where the
window could not work with them.
"""

import os
import sys
from collections.abc import MutableMapping
from typing import Final


def prepare(environment: MutableMapping[str, str], platform: str) -> bool:
    """Set what the window needs; tells whether there is a screen, or somebody chose to go without.

    environment: of this process. platform: as `sys.platform`; only on Linux do variables tell where the screen is.

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
    if platform != "linux":
        return True
    if any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return True
    environment["QT_QPA_PLATFORM"] = "offscreen"
    return False


ON_A_SCREEN: Final = prepare(os.environ, sys.platform)
"""Of this process. Without one, pictures and measurements are drawn all the same."""
