"""What the fund reads in events that desks really write, and that nothing a desk signs can spoil it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.events import ConfirmedWithoutFace, Event, WithoutFace
from sync.envelope import Json, parse_event
from sync.fund.rows import NewEvent
from sync.fund.visits import KINDS, Confirmation, Evidence, TakenBack, found
from sync.strict_json import load
from tests.core.test_events import ABOUT, CHECKED_IN, CORRECTED, MANUAL, WHO
from tests.sync_fund.desk import NOON, FakeDesk

PATIENT = "cd" * 32
WITHOUT = ConfirmedWithoutFace(PATIENT, "s1", "A02.1", "doctor-7", WithoutFace.IIN_CODE, CHECKED_IN.reasons, ABOUT)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FakeDesk:
    """Signs whatever a test likes, at noon."""
    return FakeDesk(tmp_path_factory.mktemp("desk"), "desk-1")


def row(signer: FakeDesk, kind: str, data: dict[str, Json], refused: str | None = None) -> NewEvent:
    """An event as the fund keeps it."""
    token = signer.event(4, "0" * 64, kind=kind, data=data)
    return NewEvent("desk-1", 4, "ab" * 32, "ef" * 16, kind, token, refused)


def read(each: NewEvent) -> tuple[Confirmation | TakenBack, ...]:
    """What it says."""
    return found(each, parse_event(each.token).event, "Clinic 7")


def written(event: Event) -> dict[str, Json]:
    """As a desk writes it."""
    return load(json.dumps(event.data()).encode())


@pytest.mark.parametrize(
    ("event", "evidence"),
    [
        (CHECKED_IN, Evidence.FACE),
        (replace(CHECKED_IN, guardian="ab" * 32), Evidence.GUARDIAN),
        (WITHOUT, Evidence.CODE),
        (MANUAL, Evidence.BY_HAND),
    ],
    ids=lambda each: each.value if isinstance(each, Evidence) else "",
)
def test_a_confirmation_is_read_with_its_evidence(signer: FakeDesk, event: Event, evidence: Evidence) -> None:
    """Patient, service, provider, moment, and where it is proven; who did it only where somebody did."""
    (said,) = read(row(signer, event.KIND, written(event)))
    assert isinstance(said, Confirmation)
    assert (said.clinic, said.patient, said.code, said.provider) == ("Clinic 7", PATIENT, "A02.1", "doctor-7")
    assert (said.event_id, said.device, said.seq, said.day) == ("ef" * 16, "desk-1", 4, NOON.date())
    assert (said.evidence, said.refused) == (evidence, None)
    assert (said.operator, said.reason) == ((WHO, "injury") if event is MANUAL else ("", ""))


def test_a_correction_takes_one_back_and_puts_one_in_its_place(signer: FakeDesk) -> None:
    """Or only takes one back."""
    back, instead = read(row(signer, "corrected", written(CORRECTED)))
    assert back == TakenBack("01" * 16, "Clinic 7", WHO)
    assert isinstance(instead, Confirmation)
    assert (instead.evidence, instead.code, instead.provider) == (Evidence.CORRECTED, "A02.2", "d-8")
    assert (instead.operator, instead.reason) == (WHO, "wrong_service")
    alone = replace(CORRECTED, instead=None, instead_code=None, instead_provider=None, count=None, limit=None)
    assert read(row(signer, "corrected", written(alone))) == (back,)


def test_what_the_fund_refused_confirms_nothing_and_takes_nothing_back(signer: FakeDesk) -> None:
    """The confirmation is shown with the reason."""
    (said,) = read(row(signer, "corrected", written(CORRECTED), "policy_not_allowed"))
    assert isinstance(said, Confirmation)
    assert said.refused == "policy_not_allowed"


@given(
    kind=st.sampled_from(sorted(KINDS | {"alarm"})),
    data=st.dictionaries(
        st.sampled_from(["patient", "service_code", "instead_code", "provider", "guardian", "receipt", "operator"]),
        st.none()
        | st.booleans()
        | st.integers(-9, 9)
        | st.text(max_size=3)
        | st.lists(st.text(max_size=2), max_size=2),
    ),
)
def test_whatever_a_desk_signs_is_read(signer: FakeDesk, kind: str, data: dict[str, Json]) -> None:
    """Without patient and service it confirms nothing; another kind says nothing at all."""
    said = read(row(signer, kind, data))
    confirmed = [each for each in said if isinstance(each, Confirmation)]
    code = data.get("instead_code" if kind == "corrected" else "service_code")
    full = all(isinstance(each, str) and each for each in (data.get("patient"), code))
    assert len(confirmed) == (full and kind in KINDS)
    assert len(said) - len(confirmed) == (kind == "corrected")
