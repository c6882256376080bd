"""Puts one desk together from its home: keys, database, ledger, records, pack, gallery, station.

A composition root: it reads the configuration and the clocks and hands values on. What the parts do is theirs.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path

from appliance.admission import Admission
from appliance.checkin import RecordedDesk, tell_opening
from appliance.config import Config
from appliance.core.errors import PackChanged
from appliance.core.liveness_steps import drawn
from appliance.core.snapshot import Snapshot
from appliance.core.types import Instant, PersonId
from appliance.day_book import DayBook
from appliance.enrolled import EnrolledGallery, recogniser_over
from appliance.enrolment import Enrolment, clear_log
from appliance.face.pack import Pack
from appliance.face.pipeline import FacePipeline
from appliance.front_desk import FrontDesk
from appliance.matching.gallery import Gallery
from appliance.operators import Operators
from appliance.pack_report import tell_pack
from appliance.pack_terms import empty_gallery, passive_limits
from appliance.pack_trials import NO_TRIALS, Running, Trials, begin_trials
from appliance.packs_in_use import Delivered, PacksInMemory, forms, open_packs, slots_of
from appliance.reception_queue import ReceptionQueue
from appliance.recognition import PackThresholds, Recogniser
from appliance.records.cameras import CAMERA_MIGRATIONS
from appliance.records.data_keys import is_bound
from appliance.records.desk import DeskRecords
from appliance.records.schema import RECORDS_MIGRATIONS
from appliance.records.vault import Vault
from appliance.settings_in_use import (
    OWN_SETTINGS,
    Managed,
    are_fit,
    in_force,
    in_force_untried,
    slots_of_settings,
)
from appliance.staff import StaffEnrolment
from appliance.station import Equipment, Station
from appliance.trial_match import TrialMatch
from appliance.vigilance import Vigilance
from models.store import PackStore
from sync.clock import Clock
from sync.database import Database
from sync.desk_database import open_desk_database
from sync.device_key import DeviceKey, open_device_key
from sync.home import Home, SyncSettings, load_settings
from sync.journal import Journal
from sync.key_source import KeyName, KeySource, open_keys
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.opening import Opening, look, open_ledger
from sync.outbox import Outbox

DESK_MIGRATIONS = (LEDGER_MIGRATIONS, RECORDS_MIGRATIONS, CAMERA_MIGRATIONS)
"""All tables of the desk's file."""


def software_version() -> str:
    """The installed version, as events name it."""
    return f"keldim {metadata.version('keldim')}"


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """A desk whose records are open: enough for everything that needs no model pack.

    opening: how its copies fitted. training: a copy to practise on, of which nothing is kept. managed: what came from
    afar is in `config` already.
    """

    home: Home
    config: Config
    settings: SyncSettings
    clock: Clock
    records: DeskRecords
    ledger: Ledger
    key: DeviceKey
    opening: Opening
    software: str
    training: bool = False
    managed: Managed = OWN_SETTINGS

    @property
    def admission(self) -> Admission:
        """The desk's door for cameras."""
        cameras = self.config.camera
        return Admission(self.records.db, self.ledger, self.clock, cameras.allowed, cameras.streams, self.software)

    def backlog_age(self) -> float:
        """Seconds for which the oldest undelivered event has waited; 0 when none does. Raises DatabaseFailure."""
        return Outbox(self.records.db).status(self.clock.moment().wall.timestamp()).oldest_pending_age_s or 0.0

    def front_desk(self) -> FrontDesk:
        """A reception with nobody signed in; one for a screen, since it remembers who is."""
        policy = self.config.policy
        operators = Operators(self.records, self.ledger, self.clock, policy.reception, self.software)
        return FrontDesk(self.records, self.ledger, self.clock, policy, self.software, operators)

    def reception_queue(self) -> ReceptionQueue:
        """Today's queue for whoever works at the machine itself; a screen asks `front_desk`, which asks who it is."""
        return ReceptionQueue(self.records, DayBook(self.records.db, self.ledger), self.config.policy.reception)


@dataclass(frozen=True, slots=True)
class SeeingDesk:
    """A desk with its pack open and everybody's templates in memory. earlier: packs it is moving away from, opened.

    trials: watch for other packs and settings; none on a copy to practise on. again: the same desk with the packs that
    are wanted now, its records and camera staying open; raises PackChanged where other settings are wanted, too. None
    where nothing may change.
    """

    desk: OpenDesk
    pack: Pack
    observer: FacePipeline
    earlier: tuple[FacePipeline, ...]
    enrolled: EnrolledGallery
    staff: EnrolledGallery
    recogniser: Recogniser
    trials: Trials = NO_TRIALS
    again: Callable[[], "SeeingDesk"] | None = None

    def close(self) -> None:
        """End what runs beside and overwrite the templates in memory; the records stay open. Harmless when repeated."""
        self.trials.close()
        self.enrolled.clear()
        self.staff.clear()

    @property
    def enrolment(self) -> Enrolment:
        """Enrols patients."""
        desk = self.desk
        return Enrolment(
            desk.records, desk.ledger, self.enrolled, self.staff, self.recogniser, desk.clock, desk.software
        )

    @property
    def staff_enrolment(self) -> StaffEnrolment:
        """Enrols staff."""
        desk = self.desk
        return StaffEnrolment(
            desk.records, desk.ledger, self.enrolled, self.staff, self.recogniser, desk.clock, desk.software
        )

    @property
    def trial_match(self) -> TrialMatch:
        """Tests an enrolment."""
        desk = self.desk
        return TrialMatch(
            desk.records, desk.ledger, self.enrolled, self.staff, self.recogniser, desk.clock, desk.software
        )

    @property
    def gallery(self) -> Gallery:
        """The templates in memory."""
        return self.enrolled.gallery

    def station(
        self,
        camera: str,
        publish: Callable[[Snapshot], None],
        at: Instant,
        claimed: PersonId | None = None,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> Station:
        """A station before a camera of this name, at the present instant; claimed: compare with this person only.

        below: chance of the challenges, a number from 0 up to its argument. Only a demonstration gives its own.
        """
        desk = self.desk
        recorded = RecordedDesk(
            desk.records, self.enrolled, self.staff, desk.ledger, desk.clock, desk.config.policy, desk.software
        )
        equipment = Equipment(
            observer=self.observer,
            recogniser=self.recogniser,
            desk=recorded,
            policy=desk.config.policy,
            clock=desk.clock,
            software=desk.software,
            draw=lambda rule: drawn(rule, below),
            limits=passive_limits(self.pack),
            claimed=claimed,
            earlier=self.earlier,
            watch=Vigilance(
                desk.config.policy.replay,
                self.recogniser.alike,
                recorded.record_alarm,
                lambda: self.enrolled.erased + self.staff.erased,
            ),
            beside=self.trials.shadow,
            training=desk.training,
        )
        return Station(equipment, camera, self.trials.beside(publish), at)


@contextlib.contextmanager
def open_desk(home: Home, clock: Clock, *, alone: bool = False) -> Iterator[OpenDesk]:
    """Open a desk's records and ledger. alone: while no other process has them open, nor can.

    Raises SettingsInvalid, ConfigInvalid, KeyUnusable, DatabaseFailure.
    """
    settings = load_settings(home)
    config, managed = in_force(home)
    keys = open_keys(home)
    with (
        contextlib.closing(open_desk_database(home, keys, DESK_MIGRATIONS, alone=alone)) as db,
        contextlib.closing(open_device_key(home, settings.key)) as device_key,
    ):
        vault = open_vault(db, keys, settings.device.device)
        journal, device = Journal(home.journal), settings.device.device
        opening = look(db, journal, device_key.signer.public_jwk, device, device_key.counter)
        ledger = open_ledger(Ledger(db, device_key.signer, device, journal, device_key.counter), opening)
        records = DeskRecords.over(db, vault, keys.load(KeyName.PSEUDONYM))
        tell_opening(records, ledger, clock, software_version(), opening)
        yield OpenDesk(
            home=home,
            config=config,
            settings=settings,
            clock=clock,
            records=records,
            ledger=ledger,
            key=device_key,
            opening=opening,
            software=software_version(),
            managed=managed,
        )


def open_vault(db: Database, keys: KeySource, device: str) -> Vault:
    """The vault of this desk's templates, under the template key in use or the next one. Raises KeyUnusable."""
    vault = Vault(keys.load(KeyName.TEMPLATE), device)
    if not is_bound(db, vault):
        pending = keys.pending(KeyName.TEMPLATE)
        following = None if pending is None else Vault(pending, device)
        if following is not None and is_bound(db, following):
            return following
    return vault  # also a wrong one: `bind` says what is wrong with it


def delivered(config: Config, packs: Path) -> Delivered:
    """The desk's delivered pack and its previous ones; packs: where no folder is configured. Raises PackUnknown."""
    store = PackStore(config.pack.folder or packs)
    return Delivered(tuple(store.path(name) for name in (config.pack.name, *config.pack.previous)), store.root)


def open_eyes(desk: OpenDesk, packs: Path, *, counted: bool = False, memory: PacksInMemory | None = None) -> SeeingDesk:
    """Open the desk's packs and load the galleries. packs: folder of packs.

    counted: this is a start of the desk, which a pack or settings on trial have to survive. memory: of this
    process. Raises PackInvalid, PackUnknown.
    """
    memory = memory or PacksInMemory()
    if not desk.training:
        desk = _with_settings(desk, counted=counted)
    records = desk.records
    people = (*records.templates.held().values(), *records.staff.templates.held().values())
    here, slots = delivered(desk.config, packs), slots_of(desk.home)
    for digest, form in forms((*here.paths, *slots.paths())):
        records.pack_forms.note(digest, form)
    held = records.pack_forms.with_alike(pack for packs_of_one in people for pack in packs_of_one)
    found = open_packs(slots, here, desk.config.policy, held, desk.clock.monotonic, counted=counted, memory=memory)
    opened, pack = found.all, found.first
    memory.keep(opened)
    desk = _with_fit_settings(desk, pack)
    enrolled = EnrolledGallery(records.templates, *(empty_gallery(each) for each in opened))
    staff = EnrolledGallery(records.staff.templates, *(empty_gallery(each) for each in opened))
    calibrations = {each.digest: PackThresholds(each.measured) for each in opened}
    clear_log(records)
    recogniser = recogniser_over(records, enrolled, staff, calibrations, desk.config.policy)
    changes = counted and not desk.training
    trials = NO_TRIALS
    if changes:
        running = Running(desk.home, desk.clock, desk.config, desk.managed, found, here, memory, desk.software)
        trials = begin_trials(running, partial(tell_pack, desk.records, desk.ledger, desk.clock, desk.home))
    return SeeingDesk(
        desk=desk,
        pack=pack,
        observer=FacePipeline(pack),
        earlier=tuple(FacePipeline(each) for each in opened[1:]),
        enrolled=enrolled,
        staff=staff,
        recogniser=replace(recogniser, spare=next(iter(recogniser.earlier), None)) if found.trial else recogniser,
        trials=trials,
        again=(lambda: _again(desk, packs, memory, trials)) if changes else None,
    )


def _with_settings(desk: OpenDesk, *, counted: bool) -> OpenDesk:
    config, managed = in_force(desk.home, counted=counted)
    return replace(desk, config=config, managed=managed)


def _with_fit_settings(desk: OpenDesk, pack: Pack) -> OpenDesk:
    """The desk, without settings on trial under which its pack tells nobody apart."""
    release, slots = desk.managed.release, slots_of_settings(desk.home)
    if release is None or not desk.managed.trial or desk.training:
        return desk
    fit = are_fit(slots, release, FacePipeline(pack), pack.measured, desk.config.policy, desk.clock.monotonic)
    if fit:
        return desk
    config, managed = in_force_untried(desk.home)
    return replace(desk, config=config, managed=managed)


def _again(desk: OpenDesk, packs: Path, memory: PacksInMemory, trials: Trials) -> SeeingDesk:
    if in_force(desk.home)[0] != desk.config:
        raise PackChanged("other settings are to be used from now on")
    trials.close()
    return open_eyes(desk, packs, counted=True, memory=memory)
