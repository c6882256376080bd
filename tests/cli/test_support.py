"""The support bundle as a command."""

import tarfile
from pathlib import Path

import pytest

from appliance.core.errors import BundleUnwritable
from tests.cli.conftest import ELLEN
from tests.cli.terminal import Clinic


def test_the_bundle_is_written_once_for_its_owner(pristine: Clinic, tmp_path: Path) -> None:
    """Mode 0600, listed for machines, never over another file; the patient of the clinic is not in it."""
    path = tmp_path / "bundle.tar.gz"
    told = pristine("support-bundle", "--out", path, "--json")
    assert told.code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    members = told.json["members"]
    assert isinstance(members, dict)
    with tarfile.open(path) as tar:
        assert {name.removeprefix("keldim-support/") for name in tar.getnames()} == set(members)
        content = b"".join(file.read() for member in tar if (file := tar.extractfile(member)))
    assert not any(part.encode() in content for part in (*ELLEN.name.split(), ELLEN.iin.digits))
    assert pristine("support-bundle", "--out", path).code == 2


def test_without_a_name_it_lies_here(pristine: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time in its name, and what is to be done with it."""
    monkeypatch.chdir(tmp_path)
    told = pristine("support-bundle")
    (path,) = tmp_path.iterdir()
    assert (told.code, path.name in told.out) == (0, True)


def test_a_folder_that_is_not_there_is_told(pristine: Clinic, tmp_path: Path) -> None:
    """With code and remedy."""
    told = pristine("support-bundle", "--out", tmp_path / "none" / "bundle.tar.gz")
    assert told.code == 3
    assert BundleUnwritable.code in told.err
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_speaks_to_who_is_not_it(pristine: Clinic) -> None:
    """The window's page about the device, on a terminal: in Kazakh, with remedies; and for machines."""
    told = pristine("doctor", "--language", "kk")
    assert (told.code, "Құрылғы кілті" in told.out, "токені бар құрылғы" in told.out) == (0, True, True)
    page = pristine("doctor", "--language", "en", "--json").json
    assert (page["device"], page["health"]) == ("desk-7", "warning")
