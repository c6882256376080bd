"""A clinic set up with the command's own commands, and one patient enrolled from a real photo."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from appliance.demo.cast import PATIENTS, STRANGER, locate
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from tests.cli.terminal import Clinic, keldim
from tests.fakes.films import film_of, write_film
from tests.fakes.patients import make_iin

ELLEN = PATIENTS[-1]
"""The astronaut of scikit-image."""

HURRIED = """
[policy]
tries = 1

[policy.liveness]
least_steps = 1
most_steps = 1
turn_timeout = 1.0
"""
"""A desk without patience, so that a visit from a film is over soon."""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which no path of a temporary folder is wrapped."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A portrait, 512 x 512."""
    return locate(ELLEN.picture)


@pytest.fixture(scope="session")
def eyes(pack_path: Path) -> FacePipeline:
    """The builtin pack, opened."""
    return FacePipeline(open_pack(pack_path))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory, eyes: FacePipeline) -> Path:
    """A picture of somebody who is not enrolled."""
    path = tmp_path_factory.mktemp("stranger") / "stranger.png"
    cv2.imwrite(str(path), film_of(STRANGER, eyes, 4.0)[-1].pixels)
    return path


def join(clinic: Clinic, device: str) -> None:
    """The desk's whole way into its fund, by commands, with a key in a file."""
    invitation, request, answer = (clinic.root / f"{name}.jws" for name in ("invitation", "request", "answer"))
    fund = ("--dir", clinic.fund)
    for told in (
        clinic("device", "init"),
        keldim("fund", "invite", *fund, device, "--clinic", "Clinic", "--desk", "A", "--out", invitation),
        clinic("device", "request", "--invitation", invitation, "--out", request),
        keldim("fund", "admit", *fund, request, "--key-class", "file", "--out", answer),
        clinic("device", "install", answer),
    ):
        assert (told.code, told.err) == (0, ""), told


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, pack_path: Path, astronaut: Path) -> Clinic:
    """Fund and desk made by commands, with one patient who has a service; not to be changed."""
    root = tmp_path_factory.mktemp("clinic")
    clinic = Clinic(root, pack_path.parent)
    assert keldim("fund", "init", "--dir", clinic.fund, "--url", "https://127.0.0.1:1").code == 0
    join(clinic, "desk-7")
    config = clinic.home / "keldim.toml"
    config.write_text(config.read_text() + HURRIED)
    name = ("--iin", ELLEN.iin.digits, "--name", ELLEN.name, "--language", "en")
    enrolled = clinic("enrol", "--photo", astronaut, "--consent", *name)
    assert (enrolled.code, enrolled.err) == (0, "")
    return clinic


@pytest.fixture
def clinic(pristine: Clinic, tmp_path: Path) -> Clinic:
    """A copy of the clinic for one test."""
    shutil.copytree(pristine.root, tmp_path / "clinic")
    return Clinic(tmp_path / "clinic", pristine.packs)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, eyes: FacePipeline) -> Path:
    """The patient before the camera for six seconds; motion JPEG."""
    path = tmp_path_factory.mktemp("film") / "visit.avi"
    write_film(path, film_of(ELLEN.picture, eyes, 6.0))
    return path


@pytest.fixture
def faceless(tmp_path: Path) -> Path:
    """A picture of noise."""
    path = tmp_path / "noise.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8))
    return path


@pytest.fixture
def someone() -> str:
    """A valid IIN of nobody who is enrolled."""
    return make_iin(500).digits
