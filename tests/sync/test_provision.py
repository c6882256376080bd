"""Making a desk's home: whole, private, repeatable, and never over somebody else's."""

import json
import shutil
from pathlib import Path

import pytest

from sync.database import open_database
from sync.errors import (
    DatabaseMissing,
    DeskProvisioned,
    DiskFailing,
    KeyUnusable,
    SettingsInvalid,
)
from sync.home import DeviceSettings, Home, load_settings
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, ledger_head
from sync.provision import provision
from sync.signing import FileSigner, PublicJwk
from tests.fakes.documents import make_fund_home, make_fund_json

DEVICE = DeviceSettings("desk-1", 'Clinic "Жан"', "Front\\desk")


@pytest.fixture(scope="module")
def fund_json(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the fund gives a desk."""
    return make_fund_json(tmp_path_factory.mktemp("fund"))


def contents(home: Home) -> dict[str, bytes]:
    """Every file of a home but the database's, which its opening may touch."""
    files = [path for path in home.root.rglob("*") if path.is_file() and not path.name.startswith("desk.db")]
    return {str(path.relative_to(home.root)): path.read_bytes() for path in files}


def test_a_home_is_complete_and_private(tmp_path: Path, fund_json: bytes) -> None:
    """Settings, keys, certificate, an empty ledger and the registration; nobody else can read any of it."""
    home = Home(tmp_path / "a" / "desk")
    registration = json.loads(provision(home, fund_json, DEVICE, "[camera]\nindex = 0\n"))
    signer = FileSigner.load(home.device_key)
    assert PublicJwk.parse(registration.pop("public_jwk")) == signer.public_jwk
    assert registration == {"device": "desk-1", "clinic": DEVICE.clinic, "desk": DEVICE.desk, "key_class": "file"}
    settings = load_settings(home)
    assert settings.device == DEVICE
    assert settings.fund.url == "https://127.0.0.1:8443"
    assert "[camera]" in home.config.read_text(encoding="utf-8")
    db = open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])
    assert ledger_head(db).seq == 0
    db.close()
    for path in home.root.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    keys = [home.database_key, home.template_key, home.pseudonym_key]
    assert len({load_key(key) for key in keys}) == 3


def test_making_it_again_changes_nothing(tmp_path: Path, fund_json: bytes) -> None:
    """The same desk and fund: the same registration, every file as it was."""
    home = Home(tmp_path / "desk")
    first = provision(home, fund_json, DEVICE)
    before = contents(home)
    assert provision(home, fund_json, DEVICE) == first
    assert contents(home) == before


@pytest.mark.parametrize(
    "missing", ["device.json", "desk.db", "keys/device.pem", "keys/template.key", "keys/pseudonym.key", "fund/ca.pem"]
)
def test_a_run_that_was_cut_off_is_finished_by_the_next(tmp_path: Path, fund_json: bytes, missing: str) -> None:
    """device.json comes last, so without it every step may still be open; what exists is kept."""
    home = Home(tmp_path / "desk")
    provision(home, fund_json, DEVICE)
    for name in {"device.json", missing}:
        (home.root / name).unlink()
    before = contents(home)
    provision(home, fund_json, DEVICE)
    assert before.items() <= contents(home).items()
    assert (home.root / missing).exists()


def test_a_registered_desk_never_gets_a_second_ledger_or_key(tmp_path: Path, fund_json: bytes) -> None:
    """Its chain is at the fund; a new one under the same name would be a fork."""
    home = Home(tmp_path / "desk")
    provision(home, fund_json, DEVICE)
    home.database.unlink()
    with pytest.raises(DatabaseMissing):
        provision(home, fund_json, DEVICE)
    assert not home.database.exists()
    other = Home(tmp_path / "other")
    provision(other, fund_json, DEVICE)
    shutil.copy(other.device_key, home.device_key)
    shutil.copy(other.database, home.database)
    shutil.copy(other.database_key, home.database_key)
    with pytest.raises(DeskProvisioned, match=r"device\.json"):
        provision(home, fund_json, DEVICE)


def test_a_home_belongs_to_one_desk_and_one_fund(tmp_path: Path, fund_json: bytes) -> None:
    """Another name, or another fund: refused, nothing changed."""
    home = Home(tmp_path / "desk")
    provision(home, fund_json, DEVICE)
    before = contents(home)
    with pytest.raises(DeskProvisioned):
        provision(home, fund_json, DeviceSettings("desk-2", "Clinic", "Desk"))
    other = json.loads(make_fund_home(tmp_path).document.read_bytes())
    with pytest.raises(DeskProvisioned):
        provision(home, json.dumps(other).encode(), DEVICE)
    same = json.loads(fund_json)
    for name in ("ca_pem", "pseudonym_key"):
        with pytest.raises(DeskProvisioned):
            provision(home, json.dumps(same | {name: other[name]}).encode(), DEVICE)
    assert contents(home) == before


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://fund.example"},
        {"url": None},
        {"ca_pem": "garbage"},
        {"public_jwk": {"kty": "EC"}},
        {"pseudonym_key": "AAAA"},
        {"pseudonym_key": "not base64!"},
        {"more": "x" * 70_000},
    ],
)
def test_a_fund_file_that_is_not_usable_makes_no_home(tmp_path: Path, fund_json: bytes, change: object) -> None:
    """Found before anything is written."""
    assert isinstance(change, dict)
    with pytest.raises(SettingsInvalid):
        provision(Home(tmp_path / "desk"), json.dumps(json.loads(fund_json) | change).encode(), DEVICE)
    assert not (tmp_path / "desk").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, fund_json: bytes) -> None:
    """A file where the home should be; a key somebody opened up."""
    (tmp_path / "desk").write_bytes(b"")
    with pytest.raises(DiskFailing):
        provision(Home(tmp_path / "desk"), fund_json, DEVICE)
    home = Home(tmp_path / "other")
    provision(home, fund_json, DEVICE)
    home.template_key.unlink()
    home.database_key.chmod(0o644)
    with pytest.raises(KeyUnusable):
        provision(home, fund_json, DEVICE)
