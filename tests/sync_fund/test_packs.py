"""What a pack decided that the fund does not allow is recorded as refused, and never counts."""

from pathlib import Path

import pytest

from sync.compact import digest_of
from sync.envelope import GENESIS
from sync.errors import SettingsInvalid
from sync.fund.ingest import examine, judge_batch
from sync.fund.packs import PackList, Packs, read_packs, write_packs
from sync.fund.rows import NO_EVENTS, Device, View
from sync.protocol import Result
from sync.strict_json import Json
from tests.sync_fund.desk import FakeDesk

GOOD, BAD = "a" * 64, "b" * 64


def verdicts(folder: Path, packs: Packs, *data: dict[str, Json]) -> list[tuple[Result, str | None]]:
    """The answers to events with this data, one after the other."""
    desk, tokens = FakeDesk(folder), list[str]()
    for seq, each in enumerate(data, 1):
        tokens.append(desk.event(seq, digest_of(tokens[-1]) if tokens else GENESIS, data=each))
    device = Device(desk.device, "Clinic", "Desk", "file", desk.signer.public_jwk)
    view = View(device, NO_EVENTS, {}, frozenset())
    judged = judge_batch([examine(token, device) for token in tokens], view, packs)
    return [(verdict.result, verdict.reason) for verdict, _ in judged.verdicts]


def test_an_event_that_another_pack_decided_is_refused_and_the_chain_goes_on(tmp_path: Path) -> None:
    """By its circumstances, or by its own pack; what names no pack is no matter of packs."""
    refused = (Result.REFUSED, "pack_not_allowed")
    accepted = (Result.ACCEPTED, None)
    visit: dict[str, Json] = {"circumstances": {"pack": BAD}}
    enrolled: dict[str, Json] = {"pack": BAD}
    found = verdicts(
        tmp_path, Packs(frozenset({GOOD})), visit, {"circumstances": {"pack": GOOD}}, enrolled, {"pack": GOOD}, {}
    )
    assert found == [refused, accepted, refused, accepted, accepted]


def test_without_a_list_every_pack_may_decide(tmp_path: Path) -> None:
    """As before there were lists; an empty list is another thing."""
    visit: dict[str, Json] = {"circumstances": {"pack": BAD}}
    assert verdicts(tmp_path, Packs(), visit)[0][0] is Result.ACCEPTED
    assert verdicts(tmp_path, Packs(frozenset()), visit)[0][0] is Result.REFUSED


def test_a_gateway_follows_the_list_without_a_restart(tmp_path: Path) -> None:
    """What an officer writes holds for the next batch; taken away, every pack may again."""
    file = tmp_path / "packs.json"
    packs = PackList(file)
    assert packs.now() == Packs()
    for digests in (frozenset({GOOD}), frozenset({GOOD, BAD}), frozenset()):
        write_packs(file, Packs(digests))
        assert packs.now() == packs.now() == read_packs(file) == Packs(digests)
    write_packs(file, Packs())
    assert packs.now() == Packs()
    assert not file.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'["abc"]', b'["' + b"A" * 64 + b'"]', b"\xff"])
def test_a_damaged_list_allows_nothing_by_accident(tmp_path: Path, content: bytes) -> None:
    """It is a failure, and no batch is judged until it is mended."""
    file = tmp_path / "packs.json"
    file.write_bytes(content)
    with pytest.raises(SettingsInvalid, match=r"packs\.json"):
        PackList(file).now()


def test_what_is_no_digest_comes_into_no_list(tmp_path: Path) -> None:
    """A name instead of a digest would forbid every pack."""
    with pytest.raises(SettingsInvalid, match="64 hex"):
        write_packs(tmp_path / "packs.json", Packs(frozenset({"builtin"})))
    assert not (tmp_path / "packs.json").exists()
