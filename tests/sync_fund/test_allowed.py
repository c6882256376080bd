"""What a pack or policy decided that the fund does not allow is recorded as refused, and never counts."""

from pathlib import Path

import pytest

from sync.compact import digest_of
from sync.envelope import GENESIS
from sync.errors import SettingsInvalid
from sync.fund.allowed import Allowed, AllowedLists, Decider, read_list, write_list
from sync.fund.ingest import examine_all, judge_batch
from sync.fund.rows import NO_EVENTS, Device, View
from sync.protocol import Result
from sync.strict_json import Json
from tests.sync_fund.desk import FakeDesk

GOOD, BAD = "a" * 64, "b" * 64
STRICT, LOOSE = "c" * 16, "d" * 16


def verdicts(
    folder: Path, allowed: Allowed, *data: dict[str, Json], kind: str = "checked_in"
) -> list[tuple[Result, str | None]]:
    """The answers to events with this data, one after the other."""
    desk, tokens = FakeDesk(folder), list[str]()
    for seq, each in enumerate(data, 1):
        tokens.append(desk.event(seq, digest_of(tokens[-1]) if tokens else GENESIS, data=each, kind=kind))
    device = Device(desk.device, "Clinic", "Desk", "file", desk.signer.public_jwk)
    view = View(device, NO_EVENTS, {}, frozenset())
    judged = judge_batch(examine_all(tokens, device), view, allowed)
    return [(verdict.result, verdict.reason) for verdict, _ in judged.verdicts]


REFUSED, ACCEPTED = (Result.REFUSED, "pack_not_allowed"), (Result.ACCEPTED, None)


def test_an_event_that_another_pack_decided_is_refused_and_the_chain_goes_on(tmp_path: Path) -> None:
    """By its circumstances, or by its own pack; what names no pack is no matter of packs."""
    visit: dict[str, Json] = {"circumstances": {"pack": BAD}}
    enrolled: dict[str, Json] = {"pack": BAD}
    listed = Allowed(packs=frozenset({GOOD}))
    found = verdicts(tmp_path, listed, visit, {"circumstances": {"pack": GOOD}}, enrolled, {"pack": GOOD}, {})
    assert found == [REFUSED, ACCEPTED, REFUSED, ACCEPTED, ACCEPTED]


def test_an_event_that_another_policy_decided_is_refused(tmp_path: Path) -> None:
    """Whatever its pack; each list is asked by itself."""
    visits: list[dict[str, Json]] = [{"circumstances": {"pack": GOOD, "policy": one}} for one in (STRICT, LOOSE)]
    by_policy = [ACCEPTED, (Result.REFUSED, "policy_not_allowed")]
    assert verdicts(tmp_path, Allowed(policies=frozenset({STRICT})), *visits) == by_policy
    assert verdicts(tmp_path, Allowed(frozenset({GOOD}), frozenset({STRICT})), *visits) == by_policy
    assert verdicts(tmp_path, Allowed(frozenset(), frozenset({STRICT})), *visits) == [REFUSED] * 2


def test_what_a_desk_reports_of_itself_is_never_refused(tmp_path: Path) -> None:
    """A desk that went back to a forbidden pack is one that the fund must hear of."""
    for kind in ("pack_in_use", "pack_retired"):
        report: dict[str, Json] = {"pack": BAD, "policy": LOOSE}
        assert verdicts(tmp_path, Allowed(frozenset(), frozenset()), report, kind=kind) == [ACCEPTED]


def test_without_a_list_everything_may_decide(tmp_path: Path) -> None:
    """As before there were lists; an empty list is another thing."""
    visit: dict[str, Json] = {"circumstances": {"pack": BAD, "policy": LOOSE}}
    assert verdicts(tmp_path, Allowed(), visit)[0][0] is Result.ACCEPTED
    assert verdicts(tmp_path, Allowed(packs=frozenset()), visit)[0][0] is Result.REFUSED
    assert verdicts(tmp_path, Allowed(policies=frozenset()), visit)[0][0] is Result.REFUSED


def test_a_gateway_follows_the_lists_without_a_restart(tmp_path: Path) -> None:
    """What an officer writes holds for the next batch; taken away, everything may again."""
    lists = AllowedLists(tmp_path)
    assert lists.now() == Allowed()
    for packs in (frozenset({GOOD}), frozenset({GOOD, BAD}), frozenset[str]()):
        write_list(tmp_path, Decider.PACK, packs)
        assert lists.now() == lists.now() == Allowed(read_list(tmp_path, Decider.PACK)) == Allowed(packs)
    write_list(tmp_path, Decider.POLICY, frozenset({STRICT}))
    modes = [(tmp_path / decider.file_name).stat().st_mode & 0o777 for decider in Decider]
    assert modes == [0o644, 0o644], "an officer's command may be another user's than the gateway"
    assert lists.now() == Allowed(frozenset(), frozenset({STRICT}))
    for decider in Decider:
        write_list(tmp_path, decider, None)
    assert lists.now() == Allowed()
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("decider", list(Decider))
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'["abc"]', b'["' + b"A" * 64 + b'"]', b"\xff"])
def test_a_damaged_list_allows_nothing_by_accident(tmp_path: Path, content: bytes, decider: Decider) -> None:
    """It is a failure, and no batch is judged until it is mended."""
    (tmp_path / decider.file_name).write_bytes(content)
    with pytest.raises(SettingsInvalid, match=decider.file_name):
        AllowedLists(tmp_path).now()


@pytest.mark.parametrize(("decider", "digits"), [(Decider.PACK, "64 hex"), (Decider.POLICY, "16 hex")])
def test_what_is_no_id_comes_into_no_list(tmp_path: Path, decider: Decider, digits: str) -> None:
    """A name instead of a digest would forbid everything."""
    with pytest.raises(SettingsInvalid, match=digits):
        write_list(tmp_path, decider, frozenset({"builtin"}))
    assert not (tmp_path / decider.file_name).exists()
