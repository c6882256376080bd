"""Founding a fund, registering desks, listing events: what the fund's people do."""

import json
import stat
from pathlib import Path

import pytest

from sync.errors import (
    DeviceUnknown,
    FundDatabaseInvalid,
    FundDatabaseUnreachable,
    FundExists,
    FundUnwritable,
    FundUrlInvalid,
    KeyUnusable,
)
from sync.fund.home import FundHome
from sync.fund.office import block_device, create_fund, devices, list_events, unblock_device
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import URL, Fund
from tests.sync_fund.desk import NOON, batch
from tests.sync_fund.postgresql import Server


def test_a_new_fund_keeps_its_files_to_itself(fund: Fund) -> None:
    """Every file is the owner's alone, every directory too."""
    for path in [fund.root, *fund.root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name


def test_fund_json_tells_everybody_the_same_and_no_secret(fund: Fund) -> None:
    """Address, authorities, the keys of receipts and of what is sealed to the fund."""
    document = json.loads(FundHome(fund.root).document.read_bytes())
    assert document["url"] == URL
    assert document["ca_pem"] == FundHome(fund.root).ca_certificate.read_text()
    assert document["public_jwk"] == fund.document.public_jwk.as_dict()
    assert document["device_ca_pem"] == FundHome(fund.root).device_ca.read_text()
    assert set(document) == {"url", "ca_pem", "device_ca_pem", "public_jwk", "sealing_jwk", "log"}


def test_a_fund_is_never_overwritten(fund: Fund, tmp_path: Path) -> None:
    """Neither a fund nor anything else that is there."""
    before = {path: path.read_bytes() for path in fund.root.rglob("*") if path.is_file()}
    with pytest.raises(FundExists):
        create_fund(fund.root, URL, NOON)
    assert {path: path.read_bytes() for path in fund.root.rglob("*") if path.is_file()} == before
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FundExists):
        create_fund(file, URL, NOON)


def test_a_fund_fits_into_an_empty_directory(tmp_path: Path) -> None:
    """As made by an administrator, or by a service manager."""
    (tmp_path / "empty").mkdir()
    create_fund(tmp_path / "empty", URL, NOON)
    assert FundHome(tmp_path / "empty").document.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_a_fund_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    """The address is bad: no directory, no half of one."""
    with pytest.raises(FundUrlInvalid):
        create_fund(tmp_path / "fund", "http://127.0.0.1", NOON)
    assert list(tmp_path.iterdir()) == []


def test_a_fund_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    """No key that belongs to nothing; the directory is as empty as it was."""
    root = tmp_path / "fund"
    with pytest.raises(TypeError):
        create_fund(root, URL, "today")  # type: ignore[arg-type]  # a bug in the middle of the work
    assert list(root.iterdir()) == []
    create_fund(root, URL, NOON)


def test_a_place_that_cannot_be_a_directory_is_named(tmp_path: Path) -> None:
    """Below a file."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FundUnwritable):
        create_fund(tmp_path / "file" / "fund", URL, NOON)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8443",
        "http://fund.example",
        "https://",
        "https://fund.example/path",
        "https://fund.example?x=1",
        "https://fund.example#x",
        "https://user@fund.example",
        "https://fund.example:0",
        "https://fund.example:99999",
        "https://fund.example:",
        "https://fund example",
        "https://-fund.example",
        "https://fund..example",
        "https://қор.example",
        "https://[::1",
        "https://[zz]",
    ],
)
def test_an_address_that_no_certificate_can_name_is_refused(tmp_path: Path, url: str) -> None:
    """https, a host, perhaps a port, nothing else."""
    with pytest.raises(FundUrlInvalid):
        create_fund(tmp_path / "fund", url, NOON)


@pytest.mark.parametrize(
    "url", ["https://fund.example", "https://Fund.Example:8443/", "https://[::1]:9", "https://10.0.0.1"]
)
def test_usual_addresses_are_taken(tmp_path: Path, url: str) -> None:
    """Names and numbers, both families; no slash at the end of what desks are told."""
    assert create_fund(tmp_path / "fund", url, NOON).url == url.rstrip("/").lower()


def test_blocking_names_a_device_that_exists(fund: Fund, tmp_path: Path) -> None:
    """A typing error must not look like success."""
    with pytest.raises(DeviceUnknown, match="desk-9"):
        block_device(fund.root, "desk-9", "stolen")
    desk = fund.desk(tmp_path)
    block_device(fund.root, desk.device, "stolen")
    assert [summary.device.blocked for summary in devices(fund.root)] == ["stolen"]
    unblock_device(fund.root, desk.device)
    assert [summary.device.blocked for summary in devices(fund.root)] == [None]


def test_events_are_listed_in_pages_of_any_size(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """After a number, at most so many; in order of arrival over all devices."""
    one, two = fund.desk(tmp_path), fund.desk(tmp_path)
    for desk in (one, two, one):
        gateway.receive(desk.device, batch(desk.chain(2)))
    rows = list(list_events(fund.root))
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row.event.device for row in rows] == [one.device] * 2 + [two.device] * 2 + [one.device] * 2
    assert [row.number for row in list_events(fund.root, after=2, limit=3)] == [3, 4, 5]
    assert list(list_events(fund.root, limit=0)) == []
    assert {row.received for row in rows} == {NOON}


def test_a_key_open_to_others_is_not_used(fund: Fund) -> None:
    """Fail closed: somebody may have read it."""
    home = FundHome(fund.root)
    (home.database_url if home.database_url.exists() else home.database_key).chmod(0o644)
    with pytest.raises(KeyUnusable, match="readable"):
        devices(fund.root)


def test_a_database_belongs_to_one_fund(postgresql: Server, tmp_path: Path) -> None:
    """A second fund in the same database would mix two chains of keys; nothing of it stays."""
    database = postgresql.new_database()
    create_fund(tmp_path / "first", URL, NOON, database)
    with pytest.raises(FundExists):
        create_fund(tmp_path / "second", URL, NOON, database)
    assert list((tmp_path / "second").iterdir()) == []
    assert devices(tmp_path / "first") == ()


@pytest.mark.parametrize(
    ("address", "failure"),
    [
        ("mysql://root@host/fund", FundDatabaseInvalid),
        ("postgresql://u@h:port/fund", FundDatabaseInvalid),
        ("postgresql://keldim@/fund?host=/nowhere", FundDatabaseUnreachable),
    ],
)
def test_a_database_that_is_none_is_named(tmp_path: Path, address: str, failure: type[Exception]) -> None:
    """Before anything stays."""
    with pytest.raises(failure):
        create_fund(tmp_path / "fund", URL, NOON, address)
    assert list((tmp_path / "fund").iterdir()) == []
