"""Planned services as a FHIR R4 Bundle: appointments with their patients, places and practitioners become rows.

What a row must hold is checked by `schedule`, as for a CSV line. An error names the entry and never repeats what stood
there. Read from the Bundle, and nothing else (https://hl7.org/fhir/R4/appointment.html):

- `Appointment` with status booked, pending, arrived or checked-in; others are passed over;
- `start`, with the clinic's own offset: the clinic's time is what it says before the offset;
- the first `serviceType` coding: code, display, and the display's translations (extension `translation`);
- the participants' `Patient` (the identifier of type NI, HL7 table 0203, else the one that is an IIN),
  `Practitioner` (first identifier, else its id; first name) or `PractitionerRole` (identifier) and `Location` (name);
- an identifier of the appointment with the system `urn:keldim:visit-code`.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from appliance.core.errors import IinInvalid, ServicesFileInvalid
from appliance.core.iin import Iin

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
VISIT_CODE = "urn:keldim:visit-code"
NATIONAL_IDENTIFIER = "NI"
"""HL7 v2 table 0203: national unique individual identifier."""

LANGUAGES = ("kk", "ru", "en")
_PLANNED = frozenset({"booked", "pending", "arrived", "checked-in"})

_Object = Mapping[str, object]


def looks_like_fhir(content: bytes) -> bool:
    """Whether a file is JSON, which no CSV file of ours begins as."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def bundle_rows(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Number of the entry, from 1, and the fields of a service by column. Raises ServicesFileInvalid."""
    try:
        bundle = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ServicesFileInvalid("the file is not JSON") from error
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise ServicesFileInvalid("the file is no FHIR Bundle")
    entries = _objects(bundle.get("entry"))
    resources = dict(_named(entries))
    for number, entry in enumerate(entries, 1):
        resource = _object(entry.get("resource"))
        if resource.get("resourceType") == "Appointment" and _text(resource.get("status")) in _PLANNED:
            yield number, _row(resource, resources, number)


def _row(appointment: _Object, resources: Mapping[str, _Object], number: int) -> Mapping[str, str]:
    coding = _first(_objects(_first(_objects(appointment.get("serviceType"))).get("coding")))
    people = {kind: _actor(appointment, resources, kind) for kind in ("Patient", "Location", "Practitioner")}
    practitioner = people["Practitioner"] or _actor(appointment, resources, "PractitionerRole")
    named = _first(_objects(practitioner.get("identifier")))
    codes = [each for each in _objects(appointment.get("identifier")) if each.get("system") == VISIT_CODE]
    return {
        "iin": _iin(people["Patient"], number),
        "service_code": _text(coding.get("code")),
        **{f"service_name_{language}": name for language, name in _names(coding)},
        "room": _text(people["Location"].get("name")),
        "provider": _text(named.get("value")) or _text(practitioner.get("id")),
        "starts": _starts(_text(appointment.get("start")), number),
        "code": _text(_first(codes).get("value")),
        "doctor": _called(_first(_objects(practitioner.get("name")))),
    }


def _called(name: _Object) -> str:
    """A HumanName: its text, else its given names and the family's."""
    given = name.get("given")
    parts = [*(given if isinstance(given, list) else ()), name.get("family")]
    return _text(name.get("text")) or " ".join(filter(None, map(_text, parts)))


def _named(entries: list[_Object]) -> Iterator[tuple[str, _Object]]:
    """Every resource by what may refer to it: its full address, and its type with its id."""
    for entry in entries:
        resource = _object(entry.get("resource"))
        yield f"{_text(resource.get('resourceType'))}/{_text(resource.get('id'))}", resource
        if address := _text(entry.get("fullUrl")):
            yield address, resource


def _actor(appointment: _Object, resources: Mapping[str, _Object], kind: str) -> _Object:
    for participant in _objects(appointment.get("participant")):
        reference = _text(_object(participant.get("actor")).get("reference"))
        found = resources.get(reference)
        if found is None and not reference.startswith("urn:"):
            found = resources.get("/".join(reference.split("/")[-2:]))
        if found is not None and found.get("resourceType") == kind:
            return found
    return {}


def _iin(patient: _Object, number: int) -> str:
    if not patient:
        raise ServicesFileInvalid(f"entry {number}: no patient of this appointment is in the Bundle")
    identifiers = _objects(patient.get("identifier"))
    national = [each for each in identifiers if _is_national(each)]
    values = {_text(each.get("value")) for each in (national or identifiers)}
    found = {value for value in values if national or _is_iin(value)}
    if len(found) != 1:
        raise ServicesFileInvalid(f"entry {number}: the patient has no IIN, or several")
    return found.pop()


def _is_national(identifier: _Object) -> bool:
    codings = _objects(_object(identifier.get("type")).get("coding"))
    return any(coding.get("code") == NATIONAL_IDENTIFIER for coding in codings)


def _is_iin(value: str) -> bool:
    try:
        Iin.parse(value)
    except IinInvalid:
        return False
    return True


def _names(coding: _Object) -> Iterator[tuple[str, str]]:
    """The display in each language; where it is not translated, as it stands."""
    told = {}
    for extension in _objects(_object(coding.get("_display")).get("extension")):
        if extension.get("url") == TRANSLATION:
            parts = {_text(each.get("url")): each for each in _objects(extension.get("extension"))}
            language = _text(_object(parts.get("lang")).get("valueCode"))[:2]
            told[language] = _text(_object(parts.get("content")).get("valueString"))
    for language in LANGUAGES:
        yield language, told.get(language) or _text(coding.get("display"))


def _starts(text: str, number: int) -> str:
    """Clinic time as `schedule` reads it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ServicesFileInvalid(f"entry {number}: start is not a moment") from error
    if moment.utcoffset() is None or text.endswith(("Z", "z")):
        raise ServicesFileInvalid(f"entry {number}: start must carry the clinic's own offset, not Z")
    return moment.strftime("%Y-%m-%d %H:%M")


def _objects(value: object) -> list[_Object]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: object) -> _Object:
    return value if isinstance(value, dict) else {}


def _first(values: list[_Object]) -> _Object:
    return values[0] if values else {}


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
