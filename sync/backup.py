"""A back-up of a desk: database, journal, papers and the sealed keys, one folder that is read back before it counts.

What a back-up must never hold is a plain key; whoever has one can do nothing without the fund. Putting one into use on
another machine is left to the desk's own side.

    DEVICE-NUMBER-MOMENT/   desk.db, recovery.json, keldim.toml, journal/*, manifest.json (SHA-256 of each)
"""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sync.audit import LedgerHead, verify_ledger
from sync.database import Database, Migrations, check_pages, copy_database, open_database
from sync.durable import create_file, sync_directory
from sync.envelope import format_time
from sync.errors import EnvelopeInvalid, SyncFailure
from sync.home import Home
from sync.key_errors import BackupInvalid
from sync.signing import PublicJwk
from sync.strict_json import Json, Members, dump

DATABASE: Final = "desk.db"
MANIFEST: Final = "manifest.json"
_MAX_MANIFEST: Final = 1024 * 1024
_COPIED: Final = ("recovery.json", "keldim.toml")


@dataclass(frozen=True, slots=True)
class Chain:
    """Whose chain is in a database, and what verifies it."""

    device: str
    jwk: PublicJwk
    fund: PublicJwk | None


@dataclass(frozen=True, slots=True)
class Backup:
    """A back-up that was read back. head: the last event in it."""

    folder: Path
    device: str
    head: LedgerHead
    made: str


def make_backup(
    home: Home,
    db: Database,
    key: bytes,
    chain: Chain,
    migrations: Sequence[Migrations],
    place: Path,
    now: datetime,
    tell: Callable[[str], None],
) -> Backup:
    """Write a back-up below `place` and read it back; services may run. key: of the database, for the reading back.

    It appears under its name when it is whole, on the disk and proven; a run that fails leaves nothing, one that was
    killed a folder `.new-*`.
    Raises BackupInvalid, KeyUnusable, DatabaseFailure, LedgerBroken.
    """
    if not home.recovery.exists():
        raise BackupInvalid("there is no recovery copy of the keys: nobody could ever open this back-up")
    made = format_time(now)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=place))
        try:
            tell("copying the database")
            copy_database(db, folder / DATABASE, key)
            for name in _COPIED:
                if (home.root / name).exists():
                    create_file(folder / name, (home.root / name).read_bytes())
            if home.journal.exists():
                _copy_folder(home.journal, folder / "journal")
            tell("reading it back")
            head = _prove(folder / DATABASE, key, chain, migrations)
            create_file(folder / MANIFEST, dump(_manifest(folder, chain.device, head, made)))
            name = f"{chain.device}-{head.seq}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
            final = folder.rename(place / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # a disk that is full tonight would be fuller every night
            raise
        sync_directory(place)
    except OSError as error:
        raise BackupInvalid(f"the back-up cannot be written: {error.strerror}") from error
    return read_backup(final)


def read_backup(folder: Path) -> Backup:
    """Compare every file of a back-up with its manifest; opens nothing. Raises BackupInvalid."""
    try:
        content = (folder / MANIFEST).read_bytes()
        if len(content) > _MAX_MANIFEST:
            raise BackupInvalid("the manifest is too long")
        members = Members.parse(content)
        files = members.object("files")
        for name in sorted(files.names | _files(folder)):
            if name not in files.names or _digest(folder / name) != files.text(name):
                raise BackupInvalid(f"{name} is not what was backed up")
        head = LedgerHead(members.integer("seq", 0, 2**53 - 1), members.text("digest"))
        return Backup(folder, members.text("device"), head, members.text("made"))
    except OSError as error:
        raise BackupInvalid(f"the back-up cannot be read: {error.strerror}") from error
    except EnvelopeInvalid as error:
        raise BackupInvalid(f"the manifest is malformed: {error}") from error


@contextlib.contextmanager
def working_copy(backup: Backup, beside: Path) -> Iterator[Path]:
    """The back-up's database copied below a folder, since opening it would change the back-up; gone in the end."""
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as folder:
        yield Path(shutil.copy(backup.folder / DATABASE, folder))


def _prove(path: Path, key: bytes, chain: Chain, migrations: Sequence[Migrations]) -> LedgerHead:
    """Open the copy as a restore would, and prove every page and the whole chain."""
    try:
        with contextlib.closing(open_database(path, key, migrations)) as copy:
            check_pages(copy)
            head = verify_ledger(copy, chain.jwk, chain.device, chain.fund).head
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    except SyncFailure as failure:
        raise BackupInvalid(f"the copy does not read back: {failure}") from failure
    return head


def _manifest(folder: Path, device: str, head: LedgerHead, made: str) -> dict[str, Json]:
    files: dict[str, Json] = {name: _digest(folder / name) for name in sorted(_files(folder))}
    return {"v": 1, "device": device, "seq": head.seq, "digest": head.digest, "made": made, "files": files}


def _files(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in paths} - {MANIFEST}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for path in sorted(source.iterdir()):
        if path.is_file():
            create_file(target / path.name, path.read_bytes())
