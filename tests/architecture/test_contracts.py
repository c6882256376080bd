"""The import contracts hold, and each of them bites."""

import shutil
import subprocess
import sys
from collections.abc import Callable
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
    ("appliance/matching/matcher.py", "import faiss"),
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
    ("models/store.py", "import models.recipes.builtin"),
    ("models/store.py", "import onnx"),
    ("appliance/face/pipeline.py", "import onnxruntime"),
    ("appliance/records/people.py", "import joserfc"),
    ("appliance/station.py", "import rich"),
    ("appliance/station.py", "import sync.transport"),
]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and their contracts in another folder."""
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _with_line(file: Path, line: str, look: Callable[[], subprocess.CompletedProcess[str]]) -> str:
    """What the linter says while the file has one more line."""
    before = file.read_bytes() if file.exists() else None
    try:
        file.write_bytes((before or b'"""New."""\n') + f"\n{line}\n".encode())
        return look().stdout
    finally:
        file.write_bytes(before) if before is not None else file.unlink()


def test_the_contracts_hold(copy: Path) -> None:
    """All kept, in the copy that the other tests then spoil."""
    result = _lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("module", "line"), FORBIDDEN)
def test_a_forbidden_import_is_rejected(copy: Path, module: str, line: str) -> None:
    """One line more in one module, and the linter names the module."""
    said = _with_line(copy / module, line, lambda: _lint(copy))
    assert "0 broken" not in said, said
    assert Path(module).stem.replace("__init__", Path(module).parent.name) in said
