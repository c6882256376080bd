"""The file in the desk's home that keeps how far its set-up has come. No personal data is in it.

What a result means is `core.setup_steps`'.
"""

import json
from pathlib import Path

from appliance.core.errors import SetupUnreadable
from appliance.core.setup_steps import Outcome, Problem, SetupProgress, SetupStep, StepResult
from sync.durable import replace_file
from sync.home import Home

_VERSION = 1


def record_file(home: Home) -> Path:
    """Where it lies."""
    return home.root / "setup.json"


def read_progress(home: Home) -> SetupProgress:
    """What was kept; nothing where no step was taken. Raises SetupUnreadable."""
    try:
        document = json.loads(record_file(home).read_bytes())
        if document["version"] != _VERSION:
            raise SetupUnreadable(f"setup.json has version {document['version']}, this program reads {_VERSION}")
        return SetupProgress(tuple(_result(row) for row in document["results"]))
    except FileNotFoundError:
        return SetupProgress()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupUnreadable(f"setup.json cannot be read: {type(error).__name__}") from error


def keep(home: Home, progress: SetupProgress) -> None:
    """Write it, whole or not at all. Raises SetupUnreadable where the home cannot be written."""
    rows = [
        {
            "step": result.step.value,
            "outcome": result.outcome.value,
            "problem": result.problem and result.problem.value,
            "values": dict(result.values),
            "at": result.at,
        }
        for result in progress.results
    ]
    try:
        replace_file(record_file(home), json.dumps({"version": _VERSION, "results": rows}, indent=1).encode())
    except OSError as error:
        raise SetupUnreadable(f"setup.json cannot be written: {error.strerror}") from error


def _result(row: dict[str, object]) -> StepResult:
    values, problem = row["values"], row["problem"]
    if not isinstance(values, dict) or not all(isinstance(value, str | int) for value in values.values()):
        raise ValueError("values are texts and numbers")
    return StepResult(
        SetupStep(str(row["step"])),
        Outcome(str(row["outcome"])),
        None if problem is None else Problem(str(problem)),
        tuple(values.items()),
        str(row["at"]),
    )
