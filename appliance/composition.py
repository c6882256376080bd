"""Puts one desk together from its home: keys, database, ledger, records, pack, gallery, station.

A composition root: it reads the configuration and the clocks and hands values on. What the parts do is theirs.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from appliance import config as configuration
from appliance.admission import Admission
from appliance.checkin import RecordedDesk
from appliance.config import Config
from appliance.core.snapshot import Snapshot
from appliance.core.types import Direction, Instant, PersonId
from appliance.enrolled import EnrolledGallery
from appliance.enrolment import Enrolment, clear_log
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from appliance.matching.gallery import Gallery
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import PackThresholds, Recogniser
from appliance.records.cameras import CAMERA_MIGRATIONS
from appliance.records.desk import DeskRecords
from appliance.records.schema import RECORDS_MIGRATIONS
from appliance.records.vault import Vault
from appliance.station import Equipment, Station
from models.store import PackStore
from sync.clock import Clock
from sync.database import open_database
from sync.home import Home, SyncSettings, load_settings
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.signing import FileSigner

DESK_MIGRATIONS = (LEDGER_MIGRATIONS, RECORDS_MIGRATIONS, CAMERA_MIGRATIONS)
"""All tables of the desk's file."""


def software_version() -> str:
    """The installed version, as events name it."""
    return f"keldim {metadata.version('keldim')}"


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """A desk whose records are open: enough for everything that needs no model pack."""

    home: Home
    config: Config
    settings: SyncSettings
    clock: Clock
    records: DeskRecords
    ledger: Ledger
    signer: FileSigner
    software: str

    @property
    def admission(self) -> Admission:
        """The desk's door for cameras."""
        cameras = self.config.camera
        return Admission(self.records.db, self.ledger, self.clock, cameras.allowed, cameras.streams, self.software)


@dataclass(frozen=True, slots=True)
class SeeingDesk:
    """A desk with its pack open and everybody's templates in memory."""

    desk: OpenDesk
    pack: Pack
    observer: FacePipeline
    enrolled: EnrolledGallery
    recogniser: Recogniser
    enrolment: Enrolment

    @property
    def gallery(self) -> Gallery:
        """The templates in memory."""
        return self.enrolled.gallery

    def station(
        self, camera: str, publish: Callable[[Snapshot], None], at: Instant, claimed: PersonId | None = None
    ) -> Station:
        """A station before a camera of this name, at the present instant; claimed: compare with this person only."""
        desk = self.desk
        recorded = RecordedDesk(desk.records, self.enrolled, desk.ledger, desk.clock, desk.config.policy, desk.software)
        equipment = Equipment(
            observer=self.observer,
            recogniser=self.recogniser,
            desk=recorded,
            policy=desk.config.policy,
            clock=desk.clock,
            software=desk.software,
            draw=random_turns,
            claimed=claimed,
        )
        return Station(equipment, camera, publish, at)


def random_turns(count: int) -> tuple[Direction, ...]:
    """So many turns that nobody can foresee."""
    return tuple(secrets.choice(list(Direction)) for _ in range(count))


@contextlib.contextmanager
def open_desk(home: Home, clock: Clock) -> Iterator[OpenDesk]:
    """Open a desk's records and ledger. Raises SettingsInvalid, ConfigInvalid, KeyUnusable, DatabaseFailure."""
    settings = load_settings(home)
    config = configuration.load(home.config)
    vault = Vault(load_key(home.template_key), settings.device.device)
    key = load_key(home.database_key)
    with contextlib.closing(open_database(home.database, key, DESK_MIGRATIONS)) as db:
        signer = FileSigner.load(home.device_key)
        yield OpenDesk(
            home=home,
            config=config,
            settings=settings,
            clock=clock,
            records=DeskRecords.over(db, vault, load_key(home.pseudonym_key)),
            ledger=Ledger(db, signer, settings.device.device),
            signer=signer,
            software=software_version(),
        )


def pack_path(config: Config, packs: Path) -> Path:
    """Where the desk's pack lies: the configured folder of packs, else the one given. Raises PackUnknown."""
    return PackStore(config.pack.folder or packs).path(config.pack.name)


def dimension(pack: Pack) -> int:
    """Length of the pack's embeddings."""
    embed = pack.embedder.model.embed
    if embed is None:
        raise ValueError("the embedder of an opened pack has its spec")
    return embed.dimension


def open_eyes(desk: OpenDesk, packs: Path) -> SeeingDesk:
    """Open the desk's pack and load the gallery. packs: folder of packs. Raises PackInvalid, PackUnknown."""
    pack = open_pack(pack_path(desk.config, packs))
    gallery = Gallery(dimension(pack), pack.digest)
    enrolled = EnrolledGallery(desk.records, gallery)
    thresholds = PackThresholds(pack.measured)
    policy = desk.config.policy
    enrolment = Enrolment(desk.records, desk.ledger, enrolled, thresholds, policy, desk.clock, desk.software)
    clear_log(desk.records)
    return SeeingDesk(
        desk=desk,
        pack=pack,
        observer=FacePipeline(pack),
        enrolled=enrolled,
        recogniser=Recogniser(GalleryMatcher(gallery), thresholds, policy, pack.digest),
        enrolment=enrolment,
    )
