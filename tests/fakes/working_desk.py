"""A whole desk in a home of its own, with invented faces: keys, database, ledger, records and use cases are real."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path

import numpy as np

from appliance.checkin import RecordedDesk
from appliance.composition import DESK_MIGRATIONS, open_vault
from appliance.core.decision import Decision, Thresholds
from appliance.core.events import Circumstances, LivenessMethod
from appliance.core.policy import Policy
from appliance.core.types import Embedding, LivenessVerdict, MatchMode, PackDigest, PersonId
from appliance.enrolled import EnrolledGallery, recogniser_over
from appliance.enrolment import ConsentGiven, Enrolment, EnrolmentResult
from appliance.matching.gallery import Gallery
from appliance.recognition import Probe, Recogniser
from appliance.records.desk import DeskRecords
from appliance.records.schedule import ScheduledService
from appliance.staff import StaffEnrolment
from sync.checkpoint import Counter
from sync.clock import Clock
from sync.database import Database, immediate, open_database
from sync.desk_database import open_desk_database
from sync.drafts import Drafts
from sync.envelope import Event, parse_event
from sync.home import Home, load_settings
from sync.journal import Journal
from sync.key_source import KeyName, open_keys
from sync.keyfile import load_key
from sync.ledger import Ledger
from sync.opening import Opening, look, open_ledger
from sync.signing import FileSigner, PublicJwk, Signer
from tests.fakes.documents import join_desk, make_fund_home
from tests.fakes.patients import PACK, make_embedding, make_iin, make_profile

DEVICE = "desk-1"
SOFTWARE = "keldim test"
CONSENT = ConsentGiven("2026-11", "kk")
ACCEPT, AGREE, MARGIN = 0.8, 0.5, 0.1


@dataclass(frozen=True)
class FixedThresholds:
    """The same thresholds for every question."""

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:  # noqa: ARG002 - the port's
        """Far above what two random directions reach, far below two looks of one person."""
        return Thresholds(ACCEPT, AGREE, MARGIN)


def make_look(number: int, variant: int = 0, quality: int = 80, packs: tuple[PackDigest, ...] = (PACK,)) -> Probe:
    """How invented person `number` looks this time; two looks have a cosine similarity of about 0.96.

    packs: that saw it, the desk's own first; what two packs make of a face has nothing in common.
    """
    own, *earlier = (_embedding(number, variant, pack) for pack in packs)
    return Probe(own, quality, tuple(earlier), fit=True)


def _embedding(number: int, variant: int, pack: PackDigest) -> Embedding:
    other = 0 if pack == PACK else 500_000_000
    noise = make_embedding(other + 1_000_000 + 1_000 * number + variant).vector
    mixed = make_embedding(other + number).vector + np.float32(0.2) * noise
    return Embedding((mixed / np.linalg.norm(mixed)).astype(np.float32), pack)


def make_twin(number: int, variant: int = 0, packs: tuple[PackDigest, ...] = (PACK,)) -> Probe:
    """The twin of person `number`: somebody else, about 0.95 similar to them and to their every look."""
    return make_look(number, 500 + variant, packs=packs)


def make_circumstances(liveness: LivenessVerdict = LivenessVerdict.LIVE, began: str = "") -> Circumstances:
    """What a station tells about a visit."""
    return Circumstances(
        pack=PACK,
        policy=Policy().policy_id,
        software=SOFTWARE,
        camera="camera",
        began=began or "2026-11-23T09:00:00+00:00",
        attempts=1,
        earlier=(),
        quality=80,
        liveness=liveness,
        liveness_method=LivenessMethod.CHALLENGE,
        liveness_cause=None,
    )


def make_home(folder: Path, device: str = DEVICE) -> Home:
    """A provisioned desk of an invented fund that nobody runs; its records exist."""
    home = Home(folder / "desk")
    join_desk(home, make_fund_home(folder, "https://127.0.0.1:1").root, device)
    open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
    return home


def _same(db: Database) -> Database:
    return db


@dataclass
class WorkingDesk:
    """One process of a desk. policy, wrap, sign: to let something else take a part's place. Close it in the end.

    packs: in use, the desk's own first.
    """

    home: Home
    clock: Clock
    policy: Policy = field(default_factory=Policy)
    wrap: Callable[[Database], Database] = _same
    sign: Callable[[Signer], Signer] | None = None
    keep: type[Ledger] = Ledger
    packs: tuple[PackDigest, ...] = (PACK,)
    counter: Counter | None = None
    opening: Opening = field(init=False)
    records: DeskRecords = field(init=False)
    ledger: Ledger = field(init=False)
    enrolled: EnrolledGallery = field(init=False)
    staff: EnrolledGallery = field(init=False)
    recogniser: Recogniser = field(init=False)
    enrolment: Enrolment = field(init=False)
    staffing: StaffEnrolment = field(init=False)
    desk: RecordedDesk = field(init=False)

    def __post_init__(self) -> None:
        home, settings = self.home, load_settings(self.home)
        self.fund_jwk: PublicJwk = settings.fund.jwk
        keys = open_keys(home)
        opened = open_desk_database(home, keys, DESK_MIGRATIONS)
        db = self.wrap(opened)
        device = settings.device.device
        self.records = DeskRecords.over(db, open_vault(db, keys, device), keys.load(KeyName.PSEUDONYM))
        key: Signer = FileSigner.load(home.device_key)
        journal = Journal(home.journal)
        self.opening = look(db, journal, key.public_jwk, device, self.counter)
        signer = self.sign(key) if self.sign else key
        self.ledger = self.keep(db, signer, device, journal, self.counter)
        open_ledger(self.ledger, self.opening)
        records, ledger, clock, dimension = self.records, self.ledger, self.clock, len(make_embedding(0).vector)
        self.enrolled = EnrolledGallery(records.templates, *(Gallery(dimension, pack) for pack in self.packs))
        self.staff = EnrolledGallery(records.staff.templates, *(Gallery(dimension, pack) for pack in self.packs))
        calibrations = dict.fromkeys(self.packs, FixedThresholds())
        self.recogniser = recogniser_over(records, self.enrolled, self.staff, calibrations, self.policy)
        self.enrolment = Enrolment(records, ledger, self.enrolled, self.staff, self.recogniser, clock, SOFTWARE)
        self.staffing = StaffEnrolment(records, ledger, self.enrolled, self.staff, self.recogniser, clock, SOFTWARE)
        self.desk = RecordedDesk(records, self.enrolled, self.staff, ledger, clock, self.policy, SOFTWARE)

    @property
    def db(self) -> Database:
        """The open database."""
        return self.records.db

    @property
    def gallery(self) -> Gallery:
        """The templates in memory."""
        return self.enrolled.gallery

    def close(self) -> None:
        """End the process."""
        self.db.close()

    def enrol(self, number: int, looks: int = 3) -> EnrolmentResult:
        """Enrol invented person `number`."""
        probes = [make_look(number, variant, packs=self.packs) for variant in range(looks)]
        return self.enrolment.enrol(make_profile(number), CONSENT, probes, "camera")

    def employ(self, number: int, looks: int = 2) -> EnrolmentResult:
        """Enrol invented person `number` as staff."""
        probes = [make_look(number, 200 + variant, packs=self.packs) for variant in range(looks)]
        return self.staffing.enrol(make_profile(number), CONSENT, probes, "camera")

    def find(self, number: int) -> PersonId | None:
        """The enrolled person `number`."""
        return self.records.people.find(make_iin(number))

    def plan(self, number: int, count: int = 1, first: int = 0) -> tuple[str, ...]:
        """Plan so many services today for person `number`; all their ids of today, in order of time."""
        day = self.clock.moment().wall.date()
        lines = [
            ScheduledService(
                line=2 + place,
                iin=make_iin(number),
                code=f"A{place:05d}",
                names=(("kk", "Қабылдау"), ("ru", "Приём"), ("en", "Visit")),
                room="12",
                provider="d-011",
                starts=datetime.combine(day, time(place // 60 % 24, place % 60)),
            )
            for place in range(first, first + count)
        ]
        with immediate(self.db):
            self.records.services.keep(lines, self.clock.moment().wall)
        patient = self.records.people.pseudonym(make_iin(number))
        return tuple(s.service for s in self.records.services.on(day) if s.patient == patient)

    def decide(
        self,
        number: int,
        liveness: LivenessVerdict = LivenessVerdict.LIVE,
        claimed: PersonId | None = None,
    ) -> Decision:
        """Person `number` stands before the camera."""
        probes = [make_look(number, 100 + variant, packs=self.packs) for variant in range(3)]
        return self.recogniser.decide(probes, liveness, claimed, self.desk.expected(), self.desk.under_age)

    def visit(self, number: int, service: str) -> str:
        """Person `number` is recognised and confirms a service; the event's id."""
        return self.desk.record_visit(self.decide(number), service, make_circumstances())

    def events(self) -> tuple[Event, ...]:
        """Everything that was signed, then what waits for the key."""
        signed = tuple(parse_event(entry.token).event for entry in self.ledger.entries(0, 1_000_000))
        return signed + Drafts(self.db).all()

    def check_everything(self, acknowledged: tuple[str, ...] = ()) -> None:
        """The oracle of every fault test: chain, outbox, visits, people, consents, templates and gallery agree.

        acknowledged: ids of events that the desk said were recorded.
        """
        assert not self.db.conn.in_transaction, "a transaction was left open"
        events = self.events()
        report = self.ledger.verify(self.fund_jwk)  # also that each event has its outbox row
        assert report.events == len(events) - self.ledger.waiting
        assert [event.seq for event in events] == list(range(1, len(events) + 1)), "a draft takes its promised number"
        assert self.ledger.stopped is None
        _check_journal(self, acknowledged)
        assert len({event.event_id for event in events}) == len(events)
        assert set(acknowledged) <= {event.event_id for event in events}, "an acknowledged event is lost"
        assert self.db.execute("PRAGMA foreign_key_check").fetchall() == []
        _check_visits(self.db, events)
        _check_people(self, events)


def _check_journal(desk: WorkingDesk, acknowledged: tuple[str, ...]) -> None:
    """The journal is the beginning of the chain, and holds whatever was acknowledged and signed."""
    lines = [line.token for line in Journal(desk.home.journal).lines()]
    entries = desk.ledger.entries(0, 1_000_000)
    assert lines == [entry.token for entry in entries[: len(lines)]]
    assert not set(acknowledged) & {entry.event_id for entry in entries[len(lines) :]}, "the journal is behind"


def _of_kind(events: tuple[Event, ...], kind: str) -> list[Event]:
    return [event for event in events if event.kind == kind]


_CONFIRMING = {
    "checked_in": "service",
    "confirmed_without_face": "service",
    "confirmed_manually": "service",
    "corrected": "instead",
}
"""Kinds of events that confirm a service, and which member names it."""


def _check_visits(db: Database, events: tuple[Event, ...]) -> None:
    """Each confirmed service has its one event, each such event its one confirmed service."""
    rows = db.execute(
        "SELECT v.event_id, v.event_seq, v.service_id, s.iin_ref, p.iin_ref FROM visit v"
        " JOIN planned_service s USING (service_id) LEFT JOIN person p USING (person_id)"
    ).fetchall()
    assert len(rows) == db.execute("SELECT count(*) FROM visit").fetchone()[0]
    assert all(owner in (patient, None) for *_, patient, owner in rows)
    confirmed = {(event_id, seq, service, patient) for event_id, seq, service, patient, _ in rows}
    signed = {
        (e.event_id, e.seq, e.data[service], e.data["patient"])
        for kind, service in _CONFIRMING.items()
        for e in _of_kind(events, kind)
        if e.data[service] is not None
    }
    assert confirmed == signed, "visits and their events differ"
    corrected = dict(db.execute("SELECT event_id, corrected_by FROM visit WHERE corrected_by IS NOT NULL").fetchall())
    assert corrected == {e.data["receipt"]: e.event_id for e in _of_kind(events, "corrected")}
    by_hand = {row[0] for row in db.execute("SELECT event_id FROM manual_confirmation").fetchall()}
    counted = (*_of_kind(events, "confirmed_manually"), *_of_kind(events, "corrected"))
    assert by_hand == {e.event_id for e in counted if e.data["count"] is not None}


def _names(db: Database, prefix: str = "") -> dict[str, set[tuple[str, str]]]:
    """Name and pack of everybody's templates."""
    kept: dict[str, set[tuple[str, str]]] = {}
    rows = db.execute(f"SELECT person_id, template_hash, pack FROM {prefix}template").fetchall()  # noqa: S608 - own
    for person, name, pack in rows:
        kept.setdefault(person, set()).add((name, pack))
    return kept


def _signed_names(event: Event) -> set[tuple[str, str]]:
    templates = event.data["templates"]
    assert isinstance(templates, list)
    return {(str(name), str(event.data["pack"])) for name in templates}


def _check_people(desk: WorkingDesk, events: tuple[Event, ...]) -> None:
    """Each person has an enrolment event, a consent and the templates events name; who is erased has nothing left."""
    db = desk.db
    owners = dict(db.execute("SELECT consent_id, person_id FROM consent").fetchall())
    references = dict(db.execute("SELECT person_id, iin_ref FROM person").fetchall())
    erased = {row[0] for row in db.execute("SELECT person_id FROM person WHERE erased_at IS NOT NULL").fetchall()}
    keys = {row[0] for row in db.execute("SELECT person_id FROM data_key").fetchall()}
    wards = [event for event in _of_kind(events, "guardian_named") if event.data["first"]]
    enrolments = _of_kind(events, "enrolled") + wards
    assert sorted(references) == sorted(owners[str(e.data["consent"])] for e in enrolments)
    assert sorted(owners) == sorted(str(e.data["consent"]) for e in enrolments)
    expected: dict[str, set[tuple[str, str]]] = {owners[str(event.data["consent"])]: set() for event in wards}
    for event in events:
        if event.kind in ("enrolled", "re_templated"):
            person = owners[str(event.data["consent"])]
            assert references[person] == event.data["patient"]
            expected.setdefault(person, set()).update(_signed_names(event))
        elif event.kind == "pack_retired":
            gone = event.data["pack"]
            expected = {who: {each for each in names if each[1] != gone} for who, names in expected.items()}
    present = set(references) - erased
    assert _names(db) == {who: names for who, names in expected.items() if who in present and names}
    for person in present:
        for pack in {pack for _, pack in expected[person]}:
            theirs = {name for name, made_by in expected[person] if made_by == pack}
            opened = desk.records.templates.of(PersonId(person), PackDigest(pack))
            assert {template.name for template in opened} == theirs, "a template is damaged"
        assert desk.records.people.profile(PersonId(person)).greeting
        assert desk.records.consents.standing(PersonId(person)) is not None
    assert keys == present
    forgotten = _of_kind(events, "forgotten")
    assert sorted(owners[str(e.data["consent"])] for e in forgotten) == sorted(erased)
    withdrawn = set(itertools.chain(*db.execute("SELECT consent_id FROM consent_withdrawal").fetchall()))
    assert withdrawn == {e.data["consent"] for e in forgotten}
    _check_galleries(desk, _names(db))
    _check_look_alikes(desk, events, present)
    _check_staff(desk, events)


def _check_galleries(desk: WorkingDesk, kept: dict[str, set[tuple[str, str]]]) -> None:
    """Everybody is in one gallery: that of the newest pack they have a template of."""
    desk.enrolled.refresh()
    placed: set[str] = set()
    for gallery in desk.enrolled.galleries:
        here = {who for who, names in kept.items() if gallery.pack in {pack for _, pack in names}} - placed
        placed |= here
        assert gallery.people == len(here)
        assert all(PersonId(person) in gallery for person in here)


def _check_look_alikes(desk: WorkingDesk, events: tuple[Event, ...], present: set[str]) -> None:
    """Pairs are of enrolled people, and each was signed: at an enrolment, or declared and not taken back."""
    rows = desk.db.execute("SELECT person_id, other_id FROM look_alike").fetchall()
    assert {person for row in rows for person in row} <= present
    found = sum(int(str(e.data["look_alikes"])) for e in _of_kind(events, "enrolled"))
    declared = sum(1 if e.data["flagged"] else -1 for e in _of_kind(events, "look_alike"))
    assert len(rows) <= found + declared
    assert _of_kind(events, "forgotten") or len(rows) == found + declared


def _check_staff(desk: WorkingDesk, events: tuple[Event, ...]) -> None:
    """Each of the staff has their event, consent and templates; who is erased has nothing left."""
    db = desk.db
    owners = dict(db.execute("SELECT consent_id, person_id FROM staff_consent").fetchall())
    present = dict(db.execute("SELECT person_id, iin_ref FROM staff_person WHERE erased_at IS NULL").fetchall())
    enrolments = _of_kind(events, "staff_enrolled")
    assert sorted(owners) == sorted(str(e.data["consent"]) for e in enrolments)
    names = {owners[str(e.data["consent"])]: _signed_names(e) for e in enrolments}
    retired = {e.data["pack"] for e in _of_kind(events, "pack_retired")}
    kept = {who: {n for n in each if n[1] not in retired} for who, each in names.items() if who in present}
    assert _names(db, "staff_") == {who: each for who, each in kept.items() if each}
    assert {row[0] for row in db.execute("SELECT person_id FROM staff_data_key").fetchall()} == set(present)
    withdrawn = set(itertools.chain(*db.execute("SELECT consent_id FROM staff_consent_withdrawal").fetchall()))
    assert withdrawn == {e.data["consent"] for e in _of_kind(events, "staff_forgotten")}
    assert all(owners[consent] not in present for consent in withdrawn)
    desk.staff.refresh()
    assert desk.staff.people == len({who for who, each in kept.items() if {p for _, p in each} & set(desk.packs)})
