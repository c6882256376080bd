"""The one place that imports onnxruntime, after it was told to send nothing home.

From 1.29 on the library reports to its maker over the network, unless it is told otherwise before it is imported: names
of models, shapes, errors, and a number of this machine that it keeps in the home folder. A desk with patients reports
to nobody but its fund. What is done with a session belongs to `appliance.face`.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as onnxruntime  # noqa: PLC0414 - after the line above; the explicit re-export mypy asks for
from onnxruntime.capi import onnxruntime_pybind11_state as states

__all__ = ["onnxruntime", "states"]
