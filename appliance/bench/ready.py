"""Starts a desk as the kiosk does and says when it could recognise somebody: what `startup` times from outside.

`python -m appliance.bench.ready HOME PACKS` opens keys, records, pack and gallery, writes one JSON line and ends.
"""

import json
import sys
from pathlib import Path

from appliance.composition import open_desk, open_eyes
from sync.clock import SystemClock
from sync.home import Home


def main() -> None:
    """Open the desk; tell how many people it could recognise, and whether the heavy package was loaded."""
    home, packs = map(Path, sys.argv[1:3])
    with open_desk(Home(home), SystemClock()) as desk:
        eyes = open_eyes(desk, packs)
        told = {"people": eyes.gallery.people, "insightface": "insightface" in sys.modules}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
