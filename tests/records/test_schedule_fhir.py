"""A FHIR R4 Bundle of appointments becomes the same services as a CSV file; what is wrong is named, never repeated."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import ServicesFileInvalid
from appliance.records.schedule import parse_schedule

IIN = "900101300017"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def _translation(language: str, text: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]
    return {"url": TRANSLATION, "extension": parts}


def _bundle() -> dict[str, Any]:
    """One appointment as a clinic's system exports it."""
    appointment = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "start": "2026-11-26T10:30:00+05:00",
        "identifier": [{"system": "urn:keldim:visit-code", "value": "314159"}],
        "serviceType": [
            {
                "coding": [
                    {
                        "system": "urn:tariff",
                        "code": "A02.001",
                        "display": "Приём терапевта",
                        "_display": {
                            "extension": [_translation("kk", "Терапевт қабылдауы"), _translation("en-GB", "GP")]
                        },
                    }
                ]
            }
        ],
        "participant": [
            {"actor": {"reference": "Patient/p1"}, "status": "accepted"},
            {"actor": {"reference": "https://mis.clinic.kz/fhir/Practitioner/d17"}, "status": "accepted"},
            {"actor": {"reference": "urn:uuid:1"}, "status": "accepted"},
        ],
    }
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]}
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"value": "card-7"}, {"type": kind, "value": IIN}],
        "name": [{"text": "nobody reads this"}],
    }
    doctor = {
        "resourceType": "Practitioner",
        "id": "d17",
        "identifier": [{"value": "d-017"}],
        "name": [{"family": "Ахметова", "given": ["Сәуле"]}],
    }
    room = {"resourceType": "Location", "id": "r", "name": "214"}
    entries = [{"resource": each} for each in (appointment, patient, doctor)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [*entries, {"fullUrl": "urn:uuid:1", "resource": room}],
    }


def _read(bundle: object) -> Any:
    return parse_schedule(json.dumps(bundle).encode())


def test_an_appointment_becomes_a_service() -> None:
    """With names in three languages, room, provider and their name, the clinic's own time and the visit's code."""
    (service,) = _read(_bundle())
    assert (service.iin.digits, service.code, service.room, service.provider) == (IIN, "A02.001", "214", "d-017")
    assert service.names == (("kk", "Терапевт қабылдауы"), ("ru", "Приём терапевта"), ("en", "GP"))
    assert (service.starts.isoformat(), service.visit_code) == ("2026-11-26T10:30:00", "314159")
    assert service.doctor == "Сәуле Ахметова"
    bundle = _bundle()
    bundle["entry"][2]["resource"]["name"] = [{"text": "Dr Akhmetova", "family": "Akhmetova"}]
    assert _read(bundle)[0].doctor == "Dr Akhmetova"
    del bundle["entry"][2]["resource"]["name"]
    assert _read(bundle)[0].doctor == ""


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error", "fulfilled", "proposed"])
def test_what_is_not_planned_is_passed_over(status: str) -> None:
    """Only booked, pending, arrived and checked-in ones are."""
    bundle = _bundle()
    bundle["entry"][0]["resource"]["status"] = status
    assert _read(bundle) == ()


def test_an_identifier_without_a_type_does_if_it_is_the_only_iin() -> None:
    """Not every system says what its identifiers are."""
    bundle = _bundle()
    del bundle["entry"][1]["resource"]["identifier"][1]["type"]
    assert _read(bundle)[0].iin.digits == IIN


CHANGES = {
    "no patient": lambda b: b["entry"].pop(1),
    "no iin": lambda b: b["entry"][1]["resource"].update(identifier=[{"value": "card-7"}]),
    "two": lambda b: b["entry"][1]["resource"]["identifier"].append(
        {**b["entry"][1]["resource"]["identifier"][1], "value": "900101300025"}
    ),
    "no start": lambda b: b["entry"][0]["resource"].pop("start"),
    "utc": lambda b: b["entry"][0]["resource"].update(start="2026-11-26T05:30:00Z"),
    "no offset": lambda b: b["entry"][0]["resource"].update(start="2026-11-26T10:30:00"),
    "no code": lambda b: b["entry"][0]["resource"]["serviceType"][0]["coding"][0].pop("code"),
    "no provider": lambda b: b["entry"].pop(2),
    "twice": lambda b: b["entry"].append(copy.deepcopy(b["entry"][0])),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_wrong_is_named_by_its_entry(name: str) -> None:
    """Without repeating a number or a name."""
    bundle = _bundle()
    CHANGES[name](bundle)
    with pytest.raises(ServicesFileInvalid, match=r"entry \d") as refused:
        _read(bundle)
    assert IIN not in str(refused.value)
    assert "nobody" not in str(refused.value)


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"resourceType": "Patient"}', b'{"a":' * 5000, b'{"\xff": 1}'])
def test_what_is_no_bundle_is_said_to_be_none(content: bytes) -> None:
    """Whatever the bytes."""
    with pytest.raises(ServicesFileInvalid):
        parse_schedule(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
PLACES = ["status", "start", "identifier", "serviceType", "participant"]


@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_json_in_any_place_is_a_list_or_a_refusal(place: str, value: object) -> None:
    """Never anything else."""
    bundle = _bundle()
    bundle["entry"][0]["resource"][place] = value
    with contextlib.suppress(ServicesFileInvalid):
        assert isinstance(_read(bundle), tuple)
