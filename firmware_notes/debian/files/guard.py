"""Starts the guard from its folder: `python3 -I -S /usr/lib/keldim`."""

import sys

from appliance.releases.__main__ import main

sys.exit(main())
