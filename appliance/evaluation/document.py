"""The results as one JSON document, format 1; `firmware_notes/evaluation.md` describes it.

A rate is an object: errors, trials, the interval low..high, and `rate`, which is null where the trials do not support a
claim (fewer than three errors); `at_most` is what can be said then.
"""

import dataclasses
import math
from enum import Enum

from appliance.evaluation.intervals import Rate
from appliance.evaluation.results import Evaluation
from models import document
from models.calibration import Calibration
from models.document import Json

FORMAT = 1
DOCUMENT_NAME = "evaluation.json"
_DIGITS = 9


def write_document(found: Evaluation) -> bytes:
    """The document."""
    return document.write(as_json(found))


def as_json(found: Evaluation) -> dict[str, Json]:
    """The document's content."""
    return {"format": FORMAT} | {field.name: _json(getattr(found, field.name)) for field in dataclasses.fields(found)}


def _json(value: object) -> Json:
    if isinstance(value, Rate):
        return _rate(value)
    if isinstance(value, Calibration):
        # the calibration has a file of its own; here only which one it is
        return {"measured": value.measured, "cohorts": [cohort.name for cohort in value.cohorts]}
    if dataclasses.is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return _plain(value)


def _plain(value: object) -> Json:
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no form in the document")


def _rate(rate: Rate) -> Json:
    return {
        "errors": _plain(float(rate.errors)),
        "trials": _plain(float(rate.trials)),
        "rate": _plain(rate.value) if rate.supported else None,
        "low": _plain(rate.low),
        "high": _plain(rate.high),
        "at_most": _plain(rate.at_most),
    }
