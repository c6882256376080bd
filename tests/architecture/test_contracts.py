"""The import contracts hold, and each of them bites."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT

# What nobody may write: (module, import). One per contract and per border at least.
FORBIDDEN = [
    ("appliance/core/session.py", "import time"),
    ("appliance/core/session.py", "import logging"),
    ("appliance/core/decision.py", "import random"),
    ("appliance/core/decision.py", "from pathlib import Path"),
    ("appliance/core/quality.py", "from appliance.opencv import cv2"),
    ("appliance/core/liveness.py", "import appliance.core.session"),
    ("appliance/core/types.py", "import appliance.core.policy"),
    ("appliance/core/events.py", "import sync.ledger"),
    ("appliance/core/policy.py", "import appliance.matching.gallery"),
    ("appliance/matching/matcher.py", "import appliance.core.decision"),
    ("appliance/matching/gallery.py", "import faiss"),
    ("models/codebook.py", "import models.codebook_training"),
    ("appliance/matching/gallery.py", "import appliance.records"),
    ("appliance/matching/gallery.py", "import requests"),
    ("appliance/records/__init__.py", "import appliance.core.policy"),
    ("appliance/capture/__init__.py", "import cv2"),
    ("appliance/face/__init__.py", "import appliance.core.quality"),
    ("appliance/face/__init__.py", "import appliance.matching.gallery"),
    ("appliance/texts.py", "import PySide6"),
    ("appliance/logs.py", "import sqlite_utils"),
    ("appliance/config.py", "import appliance.logs"),
    ("appliance/recognition.py", "import kiosk_ui"),
    ("appliance/recognition.py", "import socket"),
    ("appliance/helpers.py", "import math"),
    ("appliance/releases/state.py", "import rich"),
    ("appliance/releases/shelf.py", "import sync.database"),
    ("models/manifest.py", "import appliance.core.types"),
    ("models/manifest.py", "import sync.database"),
    ("models/manifest.py", "import models.store"),
    ("sync/envelope.py", "import numpy"),
    ("sync/errors.py", "import appliance.core.errors"),
    ("sync/errors.py", "import sync.database"),
    ("sync/keyfile.py", "import sqlcipher3"),
    ("sync/keyfile.py", "import sync.fund.keys"),
    ("sync/fund/keys.py", "import models.manifest"),
    ("sync/fund/store.py", "import sync.outbox"),
    ("sync/fund/ingest.py", "import sync.fund.app"),
    ("sync/protocol.py", "import requests"),
    ("sync/protocol.py", "import sync.transport"),
    ("sync/outbox.py", "import time"),
    ("sync/outbox.py", "import sync.ledger"),
    ("sync/__main__.py", "import sync.fund.serve"),
    ("sync/worker.py", "import uvicorn"),
    ("sync/ledger.py", "import cryptography"),
    ("models/store.py", "import models.recipes.build"),
    ("models/store.py", "import models.download"),
    ("models/upstream.py", "import requests"),
    ("models/recipes/build.py", "import onnxruntime"),
    ("appliance/face/pack.py", "import models.download"),
    ("models/store.py", "import onnx"),
    ("appliance/face/pipeline.py", "import onnxruntime"),
    ("appliance/face/scrfd.py", "import insightface"),
    ("appliance/records/people.py", "import cryptography"),
    ("appliance/station.py", "import rich"),
    ("appliance/operators.py", "import argon2"),
    ("appliance/core/operators.py", "import appliance.core.policy"),
    ("appliance/core/events.py", "import appliance.core.reception_events"),
    ("appliance/station.py", "import appliance.config"),
    ("appliance/checkin.py", "import appliance.enrolment"),
    ("appliance/checkin.py", "import requests"),
    ("appliance/records/people.py", "import sync.ledger"),
    ("appliance/bench/__init__.py", "import appliance.cli"),
    ("appliance/station.py", "import sync.transport"),
    ("appliance/health.py", "import socket"),
    ("kiosk_ui/__init__.py", "import socket"),
    ("appliance/core/pulse.py", "import appliance.supervisor"),
]


@pytest.fixture(scope="module")
def said(uncounted: None, tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """What the linter says in a copy of the packages: as they are, then with each forbidden line alone."""
    del uncounted
    copy = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("injection.py")],
        cwd=copy,
        input=json.dumps(FORBIDDEN),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers


def test_the_contracts_hold(said: Sequence[str]) -> None:
    """All kept."""
    assert said[0].startswith("exit 0"), said[0]


@pytest.mark.parametrize("index", range(len(FORBIDDEN)), ids=[f"{module}-{line}" for module, line in FORBIDDEN])
def test_a_forbidden_import_is_rejected(said: Sequence[str], index: int) -> None:
    """One line more in one module, and the linter names the module."""
    module, answer = Path(FORBIDDEN[index][0]), said[index + 1]
    assert answer.startswith("exit 1"), answer
    assert module.stem.replace("__init__", module.parent.name) in answer
