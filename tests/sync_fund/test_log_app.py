"""The log over HTTP: everybody can read and verify it; nobody can write what is not a witness's."""

import time

import pytest

from sync.fund.home import FundHome
from sync.fund.log_terms import load_terms
from sync.log_answer import read_inclusion
from sync.log_checkpoint import Checkpoint, check_growth, parse_growth, read_checkpoint
from sync.merkle import EMPTY_ROOT
from tests.sync_fund.conftest import Running
from tests.sync_fund.desk import FakeDesk, batch


def logged(running: Running, desk: FakeDesk) -> None:
    """Wait until the running fund has logged all of a desk's events by itself."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = running.get(f"/v1/devices/{desk.device}/inclusion", desk)
        if answer.status_code == 200 and read_inclusion(answer.content).upto == desk.seq:
            return
        time.sleep(0.2)
    raise AssertionError("the fund does not log")


def test_a_running_fund_logs_signs_and_proves(running: Running, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Events go in, a checkpoint comes out that extends the one before, with tiles to recompute it from."""
    desk = running.fund.desk(tmp_path_factory.mktemp("desk"))
    policy = load_terms(FundHome(running.fund.root))
    assert running.post(desk.device, batch(desk.chain(3))).status_code == 200
    logged(running, desk)
    old = read_checkpoint(running.get("/v1/log/checkpoint").text, policy).checkpoint
    assert running.post(desk.device, batch(desk.chain(2))).status_code == 200
    logged(running, desk)
    growth = parse_growth(running.get(f"/v1/log/growth?old={old.size}").text)
    new = read_checkpoint(growth.note, policy).checkpoint
    check_growth(old, new, growth.proof)
    check_growth(
        Checkpoint(policy.log.name, 0, EMPTY_ROOT), new, parse_growth(running.get("/v1/log/growth").text).proof
    )
    tile = running.get("/v1/log/tile/0/000.p/2")
    assert (tile.status_code, len(tile.content)) == (200, 64)
    assert "immutable" in tile.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/log/growth?old=999999999", 404),
        ("/v1/log/growth?old=-1", 400),
        ("/v1/log/growth?old=x", 400),
        ("/v1/log/tile/0/x999/999", 404),
        ("/v1/log/tile/0/000.p/0", 400),
        ("/v1/log/tile/0/000.p/257", 400),
        ("/v1/log/tile/0/../../etc", 404),
        ("/v1/log/tile/0/0", 400),
        ("/v1/log/tile/9/x000/x000/x000/x000/x000/000", 400),
        ("/v1/devices/nobody/inclusion", 403),
        ("/v1/devices/nobody/inclusion?after=-1", 400),
    ],
)
def test_questions_without_sense_are_answered_4xx(running: Running, path: str, status: int) -> None:
    """Too large, negative, no numbers, unknown devices."""
    assert running.get(path).status_code == status


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"1\nx\n", 400), (b"\xff\xfe", 400), (b"9" * 20_000, 413)])
def test_what_is_no_cosignature_is_refused(running: Running, body: bytes, status: int) -> None:
    """Nothing is kept, and nothing grows."""
    answer = running.session.post(f"{running.url}/v1/log/cosignatures", data=body, timeout=20)
    assert answer.status_code == status
