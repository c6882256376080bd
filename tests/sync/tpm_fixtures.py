"""TPMs for the tests: one maker and one running TPM for each module, and homes beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.home import Home, KeySettings, TpmSettings
from sync.signing import KeyClass
from tests.fakes.tpm import SoftwareTpm, TpmMaker


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> TpmMaker:
    """A maker of TPMs."""
    return TpmMaker.create(tmp_path_factory.mktemp("maker") / "ca")


@pytest.fixture(scope="module")
def tpm(maker: TpmMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftwareTpm]:
    """A running TPM with an endorsement certificate of the maker."""
    with maker.make(tmp_path_factory.mktemp("tpm") / "a") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with its folder of keys, and nothing in it."""
    (tmp_path / "desk" / "keys").mkdir(parents=True)
    return Home(tmp_path / "desk")


def in_tpm(tpm: SoftwareTpm, handle: int | None = None, pcrs: tuple[int, ...] = ()) -> KeySettings:
    """[key] of a desk with this TPM."""
    return KeySettings(KeyClass.TPM2, tpm=TpmSettings(tpm.tcti, handle, pcrs))
