"""Each claim gets one verdict, no confirmation supports two, and absence is held against nobody too early."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.fund.reconciliation import Claim, Delivered, Reconciliation, Report, Verdict
from sync.fund.visits import Confirmation, Evidence, TakenBack

DAY = date(2026, 11, 23)
CLAIM = Claim("c-1", "Clinic 7", "cd" * 32, "A02.1", "d-7", DAY)
VISIT = Confirmation(
    "e1", "desk-1", 4, "Clinic 7", "cd" * 32, "A02.1", "d-7", datetime.combine(DAY, time(9), UTC), Evidence.FACE
)
NEXT_DAY = Delivered("desk-1", "Clinic 7", DAY + timedelta(1))
SAME_DAY = replace(NEXT_DAY, upto=DAY)


def judge(claims: list[Claim], *said: Confirmation | TakenBack, desks: tuple[Delivered, ...] = (NEXT_DAY,)) -> Report:
    """Everything at once."""
    book = Reconciliation(claims)
    book.add(said)
    return book.report(desks)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((VISIT,), Verdict.CONFIRMED),
        ((replace(VISIT, provider="d-8"),), Verdict.OTHER_PROVIDER),
        ((replace(VISIT, refused="pack_not_allowed"),), Verdict.REFUSED),
        ((VISIT, TakenBack("e1", "Clinic 7")), Verdict.TAKEN_BACK),
        ((TakenBack("e1", "Clinic 7"), VISIT), Verdict.TAKEN_BACK),
        ((VISIT, TakenBack("e1", "Clinic 8")), Verdict.CONFIRMED),
        ((VISIT, TakenBack("e1", "Clinic 7"), replace(VISIT, event_id="e2")), Verdict.CONFIRMED),
        ((), Verdict.UNCONFIRMED),
        ((replace(VISIT, clinic="Clinic 8"),), Verdict.UNCONFIRMED),
        ((replace(VISIT, patient="ab" * 32),), Verdict.UNCONFIRMED),
        ((replace(VISIT, code="A02.2"),), Verdict.UNCONFIRMED),
        ((replace(VISIT, at=VISIT.at - timedelta(1)),), Verdict.UNCONFIRMED),
    ],
)
def test_a_claim_is_judged_by_what_was_confirmed(said: tuple[Confirmation | TakenBack, ...], verdict: Verdict) -> None:
    """By the clinic's own desks, for that patient, service and day; in whatever order it was heard."""
    (judged,) = judge([CLAIM], *said).judged
    assert (judged.claim, judged.verdict) == (CLAIM, verdict)
    assert (judged.by is None) == (verdict is Verdict.UNCONFIRMED)


@pytest.mark.parametrize(
    ("desks", "verdict"),
    [
        ((), Verdict.NO_DESK),
        ((replace(NEXT_DAY, clinic="Clinic 8"),), Verdict.NO_DESK),
        ((SAME_DAY,), Verdict.WAITING),
        ((NEXT_DAY, replace(SAME_DAY, device="desk-2")), Verdict.WAITING),
        ((NEXT_DAY, replace(SAME_DAY, device="desk-2", closed=True)), Verdict.UNCONFIRMED),
        ((NEXT_DAY, replace(SAME_DAY, device="desk-2", upto=None)), Verdict.WAITING),
    ],
)
def test_nobody_is_accused_while_a_desk_may_still_send(desks: tuple[Delivered, ...], verdict: Verdict) -> None:
    """A desk delivers in order: one event of a later day, and all of this day are here. Closed ones send no more."""
    report = judge([CLAIM], desks=desks)
    assert [one.verdict for one in report.judged] == [verdict]
    assert [desk.device for desk in report.late] == (
        [d.device for d in desks if d.may_still_send(DAY)] * (verdict is Verdict.WAITING)
    )


def test_one_confirmation_supports_one_claim() -> None:
    """The second is a duplicate; of two providers each gets their own, whoever claims first."""
    twice = [CLAIM, replace(CLAIM, name="c-2")]
    assert [one.verdict for one in judge(twice, VISIT).judged] == [Verdict.CONFIRMED, Verdict.DUPLICATE]
    other = replace(VISIT, event_id="e2", provider="d-8")
    crossed = judge([replace(CLAIM, provider="d-8"), replace(CLAIM, name="c-2")], VISIT, other)
    assert [(one.verdict, one.by) for one in crossed.judged] == [(Verdict.CONFIRMED, other), (Verdict.CONFIRMED, VISIT)]


def test_what_nobody_claimed_is_counted() -> None:
    """Standing confirmations of days and clinics that were claimed."""
    more = [replace(VISIT, event_id="e2", patient="ab" * 32), replace(VISIT, event_id="e3", code="B"), VISIT]
    gone = [replace(VISIT, event_id="e4", code="C", refused="x"), replace(VISIT, event_id="e5", clinic="Clinic 8")]
    assert judge([CLAIM], *more, *gone).unclaimed == {"Clinic 7": 2}
    assert judge([], *more).unclaimed == {}


CLAIMS = st.builds(
    Claim,
    name=st.uuids().map(str),
    clinic=st.sampled_from(["A", "B"]),
    patient=st.sampled_from(["p", "q"]),
    code=st.just("s"),
    provider=st.sampled_from(["d", "e"]),
    day=st.sampled_from([DAY, DAY + timedelta(1)]),
)
VISITS = st.builds(
    lambda number, claim, refused: Confirmation(
        str(number), "desk-1", 1, claim.clinic, claim.patient, claim.code, claim.provider,
        datetime.combine(claim.day, time(9), UTC), Evidence.FACE, refused="x" if refused else None,
    ),
    st.uuids(),
    CLAIMS,
    st.booleans(),
)  # fmt: skip


@given(claims=st.lists(CLAIMS, max_size=8), visits=st.lists(VISITS, max_size=8), data=st.data())
def test_nothing_is_counted_twice_or_lost(claims: list[Claim], visits: list[Confirmation], data: st.DataObject) -> None:
    """Every claim once, in its place; every standing confirmation under one claim or not claimed; in any order."""
    back = [TakenBack(visit.event_id, visit.clinic) for visit in visits if data.draw(st.booleans())]
    said: list[Confirmation | TakenBack] = data.draw(st.permutations([*visits, *back]))
    report = judge(claims, *said)
    assert [one.claim for one in report.judged] == claims
    used = [one.by for one in report.judged if one.verdict in (Verdict.CONFIRMED, Verdict.OTHER_PROVIDER)]
    assert max(Counter(by.event_id for by in used if by).values(), default=1) == 1
    taken = {each.receipt for each in back}
    days = {(claim.clinic, claim.day) for claim in claims}
    standing = [v for v in visits if v.refused is None and v.event_id not in taken and (v.clinic, v.day) in days]
    assert len(used) + sum(report.unclaimed.values()) == len(standing)
    for one in report.judged:
        if one.verdict is Verdict.DUPLICATE:
            same = [
                v
                for v in standing
                if (v.clinic, v.patient, v.day) == (one.claim.clinic, one.claim.patient, one.claim.day)
            ]
            assert same
            assert all(v in used for v in same)
