"""The gateway without HTTP: exactly once under everything a network does, evidence of forks, and signed answers."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.compact import digest_of
from sync.envelope import GENESIS
from sync.errors import DatabaseFailure, DiskFull, SettingsInvalid
from sync.fund import gateway as gateway_module
from sync.fund.allowed import Decider, write_list
from sync.fund.audit import verify_fund
from sync.fund.denial import RequestDenied
from sync.fund.home import FundHome
from sync.fund.office import block_device, devices, list_events, unblock_device
from sync.fund.rows import NewEvent, View, Wanted
from sync.fund.store import Decision, FundStore
from sync.fund.stores import gateway_store
from sync.protocol import MAX_BODY, MAX_EVENTS, RECEIPT_TYP, Result, read_head
from sync.signing import FileSigner, verify
from sync.strict_json import Json
from tests.sync_fund.blocking import Gateway, open_gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON, FakeDesk, StillClock, Told, batch, receipts_of, twin_signature

NONCE = "0123456789abcdef" * 2


def _offer(gateway: Gateway, fund: Fund, desk: FakeDesk, tokens: list[str]) -> list[Told]:
    return receipts_of(gateway.receive(desk.device, batch(tokens)), fund.document.public_jwk, desk.device, tokens)


def _results(receipts: list[Told]) -> list[str]:
    return [receipt.result.value for receipt in receipts]


def test_a_chain_is_accepted_in_order(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """The receipt is signed, and says how far the chain goes."""
    desk = fund.desk(tmp_path)
    receipts = _offer(gateway, fund, desk, desk.chain(5))
    assert _results(receipts) == ["accepted"] * 5
    assert [(r.seq, r.have, r.at) for r in receipts] == [(n, 5, NOON) for n in range(1, 6)]
    assert [row.event.seq for row in list_events(fund.root)] == [1, 2, 3, 4, 5]


def test_a_batch_again_changes_nothing(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """A lost reply: the same batch, also with other valid signatures, is known."""
    desk = fund.desk(tmp_path)
    tokens = desk.chain(3)
    _offer(gateway, fund, desk, tokens)
    assert _results(_offer(gateway, fund, desk, tokens)) == ["known"] * 3
    assert _results(_offer(gateway, fund, desk, [twin_signature(t) for t in tokens])) == ["known"] * 3
    assert [row.event.token for row in list_events(fund.root)] == tokens
    assert verify_fund(fund.root).summary == "fund: 3 events, chain verified, 0 missing"


def test_an_event_twice_in_one_batch_is_kept_once(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """Within a batch as between batches."""
    desk = fund.desk(tmp_path)
    token = desk.next()
    assert _results(_offer(gateway, fund, desk, [token, token])) == ["accepted", "known"]


def test_a_reordered_batch_is_taken_as_far_as_it_follows(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """What does not follow is a gap, named with the number that is had."""
    desk = fund.desk(tmp_path)
    one, two, three = desk.chain(3)
    receipts = _offer(gateway, fund, desk, [two, one, three, two])
    assert _results(receipts) == ["gap", "accepted", "gap", "accepted"]
    assert receipts[0].have == 2
    assert [r.reason for r in receipts] == ["missing", None, "missing", None]
    assert _results(_offer(gateway, fund, desk, [one, two, three])) == ["known", "known", "accepted"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(st.integers(0, 11), min_size=1, max_size=8), st.booleans()), max_size=8))
def test_any_network_gives_each_event_once(
    gateway: Gateway, fund: Fund, tmp_path: Path, deliveries: list[tuple[list[int], bool]]
) -> None:
    """Batches repeated, reordered, cut and malleated in any way: the fund holds a prefix of the chain, once."""
    desk = fund.desk(tmp_path)
    tokens = desk.chain(12)
    have = 0
    for picked, twin in deliveries:
        sent = [twin_signature(tokens[n]) if twin else tokens[n] for n in picked]
        receipts = _offer(gateway, fund, desk, sent)
        for number, receipt in zip((n + 1 for n in picked), receipts, strict=True):
            expected = Result.KNOWN if number <= have else Result.ACCEPTED if number == have + 1 else Result.GAP
            have += expected is Result.ACCEPTED
            assert (receipt.seq, receipt.result) == (number, expected)
        assert not receipts or receipts[0].have == have
    _offer(gateway, fund, desk, tokens)
    mine = [row.event.seq for row in list_events(fund.root) if row.event.device == desk.device]
    assert mine == list(range(1, 13))


def test_a_fork_is_kept_as_evidence_and_blocks_the_device(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """A rolled-back disk signs another event of an old number: both stay, and nothing further is taken."""
    desk = fund.desk(tmp_path)
    tokens = desk.chain(3)
    _offer(gateway, fund, desk, tokens)
    rival = desk.event(2, "0" * 64)
    after = desk.next()
    receipts = _offer(gateway, fund, desk, [rival, tokens[2], rival, after])
    assert _results(receipts) == ["forked", "known", "forked", "gap"]
    assert [r.reason for r in receipts] == ["seq", None, "seq", "device_blocked"]
    with pytest.raises(RequestDenied, match="blocked") as denied:
        gateway.receive(desk.device, batch([after]))
    assert (denied.value.status, denied.value.code) == (403, "device_blocked")
    (summary,) = devices(fund.root)
    assert (summary.forks, summary.head.seq, summary.device.blocked) == (1, 3, "forked at event 2")
    report = verify_fund(fund.root)
    assert (report.forks, report.blocked, report.intact) == (1, 1, True)


def test_an_event_after_another_history_is_a_fork(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """The device has signed another event under the number the fund has."""
    desk = fund.desk(tmp_path)
    _offer(gateway, fund, desk, desk.chain(2))
    (receipt,) = _offer(gateway, fund, desk, [desk.event(3, "f" * 64)])
    assert (receipt.result, receipt.reason, receipt.have) == (Result.FORKED, "prev", 2)


def test_an_unblocked_device_goes_on_where_its_chain_is(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """Blocking by hand takes nothing in; unblocking continues without a hole."""
    desk = fund.desk(tmp_path)
    _offer(gateway, fund, desk, desk.chain(1))
    block_device(fund.root, desk.device, "stolen")
    token = desk.next()
    with pytest.raises(RequestDenied):
        gateway.receive(desk.device, batch([token]))
    unblock_device(fund.root, desk.device)
    assert _results(_offer(gateway, fund, desk, [token])) == ["accepted"]


def test_a_refused_event_is_part_of_the_chain(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """A reused id is refused with its number, kept, answered alike again, and what follows is accepted."""
    desk = fund.desk(tmp_path)
    tokens = [desk.next(event_id="a" * 32), desk.next(event_id="a" * 32), desk.next()]
    for _ in range(2):
        receipts = _offer(gateway, fund, desk, tokens)
        assert (receipts[1].result, receipts[1].seq, receipts[1].reason) == (Result.REFUSED, 2, "id_reused")
    assert receipts[2].result is Result.KNOWN
    assert [row.event.refused for row in list_events(fund.root)] == [None, "id_reused", None]
    assert verify_fund(fund.root).intact


def test_unproven_tokens_are_counted_not_kept(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """Refusals show in the overview; a stranger does not make a device look alive."""
    desk, other = fund.desk(tmp_path), FakeDesk(tmp_path)
    body = json.dumps({"events": ["nonsense", other.next(), desk.event(1, "0" * 64, device="desk-x")]}).encode()
    gateway.receive(desk.device, body)
    gateway.receive(desk.device, body)
    (summary,) = devices(fund.root)
    assert (summary.refusals, summary.head.seq, summary.last_seen) == (6, 0, None)
    assert list(list_events(fund.root)) == []


def test_one_bad_event_does_not_hold_up_the_batch(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """The results stand in the order of the request, the good ones accepted."""
    desk = fund.desk(tmp_path)
    one, two = desk.chain(2)
    answer = json.loads(gateway.receive(desk.device, json.dumps({"events": [one, "x", two]}).encode()))
    receipt = verify(fund.document.public_jwk, answer["receipt"], RECEIPT_TYP, 10_000)
    expected = [["accepted", None, 1], ["rejected", "malformed", 1], ["accepted", None, 1]]
    assert json.loads(receipt.payload)["results"] == expected
    assert [row.event.seq for row in list_events(fund.root)] == [1, 2]


@pytest.mark.parametrize("device", ["desk-unknown", "", "Desk-1", "../etc", "a" * 64, "desk\n1", "🙂", "' OR 1=1 --"])
def test_an_unknown_device_is_denied(gateway: Gateway, device: str) -> None:
    """Whatever the path says."""
    with pytest.raises(RequestDenied) as denied:
        gateway.receive(device, batch(["x"]))
    assert (denied.value.status, denied.value.code) == (403, "unknown_device")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"events":[]}',
        b'{"events":[1]}',
        b'{"events":["a"],"events":["b"]}',
        b'{"events":"a"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"events":[NaN]}',
        b'{"events":["\\ud800"]}',
        json.dumps({"events": ["x"] * (MAX_EVENTS + 1)}).encode(),
    ],
    ids=range(12),
)
def test_a_malformed_request_is_denied_as_a_whole(gateway: Gateway, fund: Fund, tmp_path: Path, body: bytes) -> None:
    """Nothing in it is looked at."""
    desk = fund.desk(tmp_path)
    with pytest.raises(RequestDenied) as denied:
        gateway.receive(desk.device, body)
    assert (denied.value.status, denied.value.code) == (400, "malformed")


def test_an_oversized_request_is_denied(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """One byte more than the limit."""
    with pytest.raises(RequestDenied) as denied:
        gateway.receive(fund.desk(tmp_path).device, b" " * (MAX_BODY + 1))
    assert (denied.value.status, denied.value.code) == (413, "too_large")


def test_the_head_is_signed_fresh_and_says_blocked(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """It repeats the nonce; a blocked device gets it too."""
    desk = fund.desk(tmp_path)
    jwk = fund.document.public_jwk
    empty = read_head(gateway.head(desk.device, NONCE), jwk, desk.device, NONCE)
    assert (empty.have, empty.digest, empty.blocked, empty.at) == (0, "0" * 64, False, NOON)
    _offer(gateway, fund, desk, desk.chain(4))
    block_device(fund.root, desk.device, "stolen")
    head = read_head(gateway.head(desk.device, NONCE), jwk, desk.device, NONCE)
    assert (head.have, head.digest, head.blocked, head.reason) == (4, desk.prev, True, "device_blocked")
    for nonce in ("", "A" * 32, "0" * 31):
        with pytest.raises(RequestDenied, match="nonce"):
            gateway.head(desk.device, nonce)


def test_a_device_registered_while_the_gateway_runs_is_known_at_once(
    gateway: Gateway, fund: Fund, tmp_path: Path
) -> None:
    """Registration is another process."""
    desk = FakeDesk(tmp_path)
    with pytest.raises(RequestDenied):
        gateway.receive(desk.device, batch([desk.event(1, "0" * 64)]))
    fund.admit(desk)
    assert _results(_offer(gateway, fund, desk, [desk.next()])) == ["accepted"]


class SomeEvents(tuple[NewEvent, ...]):
    """Events of which the disk only takes so many."""

    __slots__ = ()
    left = 2

    def __iter__(self) -> Iterator[NewEvent]:
        """Fail in the middle of a batch."""
        for count, event in enumerate(super().__iter__()):
            if count == self.left:
                raise DiskFull("the disk is full")
            yield event


class FullDisk:
    """A store in front of another one, with a disk that fills up while a batch is being written."""

    def __init__(self, store: FundStore) -> None:
        self._store = store
        self.full = True

    def __getattr__(self, name: str) -> object:
        """Everything else as it is."""
        return getattr(self._store, name)

    async def settle(self, device: str, wanted: Wanted, decide: Callable[[View], Decision], at: datetime) -> Decision:
        """Keep some of it."""

        def decided(view: View) -> Decision:
            ruling = decide(view)
            return replace(ruling, events=SomeEvents(ruling.events)) if self.full else ruling

        return await self._store.settle(device, wanted, decided, at)


def test_a_full_disk_keeps_nothing_of_a_batch_and_answers_nothing(fund: Fund, tmp_path: Path) -> None:
    """All of a batch or none; the desk sends it again and it is new."""
    desk, home = fund.desk(tmp_path), FundHome(fund.root)
    tokens = desk.chain(3)
    store = FullDisk(gateway_store(home, NOON))
    real = gateway_module.Gateway(cast("FundStore", store), FileSigner.load(home.signing_key), StillClock())
    with contextlib.closing(Gateway(real, fund.root)) as failing:
        with pytest.raises(DatabaseFailure):
            failing.receive(desk.device, batch(tokens))
        assert list(list_events(fund.root)) == []
        store.full = False
        assert _results(_offer(failing, fund, desk, tokens)) == ["accepted"] * 3


def test_two_gateways_on_one_fund_keep_each_event_once(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """The transaction decides, not the memory of a process."""
    desk = fund.desk(tmp_path)
    tokens = desk.chain(4)
    with contextlib.closing(open_gateway(fund.root, StillClock())) as second:
        assert _results(_offer(gateway, fund, desk, tokens[:2])) == ["accepted"] * 2
        assert _results(_offer(second, fund, desk, tokens)) == ["known"] * 2 + ["accepted"] * 2
        assert _results(_offer(gateway, fund, desk, tokens)) == ["known"] * 4


def test_the_log_holds_ids_and_counts_only(
    gateway: Gateway, fund: Fund, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of an event's content reaches the log, at any level."""
    desk = fund.desk(tmp_path)
    with caplog.at_level(logging.DEBUG):
        token = desk.event(1, "0" * 64, data={"patient": "cafe" * 16})
        _offer(gateway, fund, desk, [token, desk.event(1, "0" * 64)])
    assert desk.device in caplog.text
    assert "cafecafe" not in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize("decider", list(Decider))
def test_a_visit_of_a_forbidden_pack_or_policy_is_kept_as_refused(
    gateway: Gateway, fund: Fund, tmp_path: Path, decider: Decider
) -> None:
    """On the running gateway: the list holds from the next batch on, and a damaged one stores nothing."""
    desk = fund.desk(tmp_path)
    visits: list[dict[str, Json]] = [{"circumstances": {decider: digit * decider.id_digits}} for digit in "ab"]
    write_list(fund.root, decider, frozenset({"a" * decider.id_digits}))
    first = desk.event(1, GENESIS, data=visits[0])
    second = desk.event(2, digest_of(first), data=visits[1])
    told = _offer(gateway, fund, desk, [first, second])
    assert [(each.result.value, each.reason) for each in told] == [("accepted", None), ("refused", decider.refusal)]
    (fund.root / decider.file_name).write_text("[]x")
    third = desk.event(3, digest_of(second), data=visits[0])
    with pytest.raises(SettingsInvalid):
        _offer(gateway, fund, desk, [third])
    write_list(fund.root, decider, None)
    assert _results(_offer(gateway, fund, desk, [third])) == ["accepted"]
    assert verify_fund(fund.root).intact
