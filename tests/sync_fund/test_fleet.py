"""The fleet: what each desk said it runs, how it is, and that nothing a desk signs can spoil it for the others."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.core.machine_events import PackGivenUp, PackInUse, SettingsGivenUp, SettingsInUse
from sync.compact import digest_of
from sync.envelope import Json
from sync.fund import office
from sync.fund.fleet import BEHIND, SILENT, Desk, Health, desks, groups, running
from sync.fund.rows import Device, DeviceSummary, Head, LastHeard
from sync.signing import PublicJwk
from sync.strict_json import load
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON, FakeDesk, batch

KEY = PublicJwk("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
REPORT = PackInUse(
    "34" * 32, 4, False, "canary", 2, (), SettingsInUse("56" * 32, 2, False, 0, ()), "78" * 32, "aa" * 8, "keldim 0.6"
)
SUMMARY = DeviceSummary(Device("desk-1", "Clinic 7", "Reception", "file", KEY), Head(9, "ab" * 32), 0, 0, NOON)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FakeDesk:
    """Signs whatever a test likes; the time in its events is noon."""
    return FakeDesk(tmp_path_factory.mktemp("desk"), "desk-1")


def _data(report: PackInUse) -> dict[str, Json]:
    return load(json.dumps(report.data()).encode())


def _one(
    signer: FakeDesk,
    data: dict[str, Json] | None,
    summary: DeviceSummary = SUMMARY,
    received: datetime = NOON,
    now: datetime = NOON,
) -> Desk:
    said = None if data is None else signer.event(1, "0" * 64, data=data, kind="pack_in_use")
    newest = signer.event(2, "0" * 64)
    (desk,) = desks([summary], [LastHeard("desk-1", said, newest, received)], now)
    return desk


def test_a_desk_is_shown_by_what_it_signed(signer: FakeDesk) -> None:
    """Release, settings, ring, policy and program; an hour of backlog is nothing yet."""
    desk = _one(signer, _data(REPORT), received=NOON + BEHIND)
    assert (desk.ring, desk.release, desk.settings, desk.policy) == ("canary", 4, 2, "aa" * 8)
    assert (desk.software, desk.health, desk.head, desk.backlog) == ("keldim 0.6", Health.WELL, 9, BEHIND)
    assert running(desk) == "release 4, settings 2"


@pytest.mark.parametrize(
    ("change", "health"),
    [
        ({"device": replace(SUMMARY.device, blocked="forked")}, Health.CLOSED),
        ({"device": replace(SUMMARY.device, revoked="stolen")}, Health.CLOSED),
        ({"last_seen": NOON - SILENT - timedelta(seconds=1)}, Health.SILENT),
        ({"last_seen": None}, Health.SILENT),
    ],
)
def test_what_the_fund_knows_itself_comes_first(signer: FakeDesk, change: dict[str, object], health: Health) -> None:
    """Whatever the desk says of itself."""
    assert _one(signer, _data(REPORT), replace(SUMMARY, **change)).health is health  # type: ignore[arg-type]


def test_health_follows_the_report(signer: FakeDesk) -> None:
    """Behind, went back, on trial, silent about itself; in this order."""
    settings = replace(REPORT.settings, trial=True)
    trial = replace(REPORT, settings=settings)
    bad = replace(
        trial,
        given_up=(PackGivenUp("9a" * 32, 3, "drift"),),
        settings=replace(settings, given_up=(SettingsGivenUp("bc" * 32, 1, "invalid"),)),
    )
    assert _one(signer, _data(bad), received=NOON + 2 * BEHIND).health is Health.BEHIND
    gone = _one(signer, _data(bad))
    assert (gone.health, gone.given_up) == (Health.GAVE_UP, ("3 drift", "settings 1 invalid"))
    assert _one(signer, _data(trial)).health is Health.ON_TRIAL
    assert _one(signer, _data(replace(REPORT, trial=True))).health is Health.ON_TRIAL
    assert _one(signer, None).health is Health.UNKNOWN
    assert desks([replace(SUMMARY, last_seen=None)], [], NOON)[0].backlog is None


def test_desks_are_counted_by_ring_and_by_what_they_run(signer: FakeDesk) -> None:
    """Canary and the others, at a glance."""
    old = replace(REPORT, ring="all", release=None, settings=replace(REPORT.settings, release=None, settings=None))
    fleet = [_one(signer, _data(REPORT)), _one(signer, _data(REPORT)), _one(signer, _data(old)), _one(signer, None)]
    assert groups(fleet) == (
        ("all", "delivered pack", 1),
        ("canary", "release 4, settings 2", 2),
        ("none", "unknown", 1),
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(REPORT.data())), inner),
    max_leaves=9,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(st.dictionaries(st.sampled_from(sorted(REPORT.data())), _JSON))
def test_whatever_a_desk_signs_the_fleet_is_shown(signer: FakeDesk, data: dict[str, Json]) -> None:
    """A registered desk whose program is somebody else's cannot take the page away from the others."""
    desk = _one(signer, data)
    assert len(desk.ring) <= 64
    assert groups([desk])


def test_the_last_accepted_report_counts(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """Found among visits, in both databases; a desk that said nothing of itself is there as well."""
    desk, quiet = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    reports = [replace(REPORT, release=number) for number in (1, 2)]
    tokens = []
    for report in reports:
        desk.seq += 1
        token = desk.event(desk.seq, desk.prev, data=_data(report), kind="pack_in_use")
        desk.prev = digest_of(token)
        tokens += [token, desk.next()]
    gateway.receive(desk.device, batch(tokens))
    gateway.receive(quiet.device, batch(quiet.chain(1)))
    shown = gateway.overview().fleet
    assert [(one.device, one.release, one.health, one.head) for one in shown] == [
        ("desk-1", 2, Health.WELL, 4),
        ("desk-2", None, Health.UNKNOWN, 1),
    ]
    assert office.fleet(fund.root, NOON) == shown
