"""Everybody who publishes packs, with keys of their own: the whole ceremony in one call."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner, SSlibKey

from models import publish
from models.manifest import MANIFEST_NAME
from models.manifest_document import write_manifest
from models.publish import Parties, Release
from models.releases import Kind, Ring
from models.repository import Repository
from models.store import read_pack
from tests.models.manifests import manifest_of, write_pack, zoo_models

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def key() -> CryptoSigner:
    """A new key."""
    return CryptoSigner.generate_ecdsa()


def public(signer: CryptoSigner) -> SSlibKey:
    """Its public half."""
    found = signer.public_key
    assert isinstance(found, SSlibKey)
    return found


@dataclass
class Publishers:
    """A repository with its keys. now: the time at which they sign; a test moves it."""

    folder: Path
    now: datetime = NOW
    root: list[CryptoSigner] = field(default_factory=lambda: [key() for _ in range(3)])
    targets: list[CryptoSigner] = field(default_factory=lambda: [key() for _ in range(3)])
    online: CryptoSigner = field(default_factory=key)
    rings: dict[Ring, CryptoSigner] = field(default_factory=lambda: {ring: key() for ring in Ring})

    def __post_init__(self) -> None:
        """Found the repository, unless it is there."""
        self.repository = Repository(self.folder)
        if not self.folder.exists():
            rings = {ring: public(one) for ring, one in self.rings.items()}
            parties = Parties(
                [public(k) for k in self.root], [public(k) for k in self.targets], public(self.online), rings
            )
            publish.found(self.repository, parties, self.now)
            self.stamp()

    @property
    def public(self) -> Path:
        """What a web server serves."""
        return self.repository.public

    @property
    def first_root(self) -> bytes:
        """What desks are delivered with."""
        return (self.public / "metadata" / "1.root.json").read_bytes()

    def stamp(self) -> None:
        """Two of three sign what waits, and the online key puts it out."""
        holders = {
            "root": self.root[:2],
            "targets": self.targets[:2],
            **{str(ring): [self.rings[ring]] for ring in Ring},
        }
        for waiting in self.repository.waiting():
            for signer in holders[waiting.role]:
                self.repository.sign(signer)
        self.repository.stamp([self.online], self.now)

    def release(self, pack: Path, *rings: Ring) -> Release:
        """Publish a pack for these rings."""
        release = publish.add_release(self.repository, pack, self.now)
        for ring in rings:
            publish.assign(self.repository, ring, release.number, self.now)
        self.stamp()
        return release

    def settings(self, data: bytes, *rings: Ring) -> Release:
        """Publish settings for these rings."""
        release = publish.add_settings(self.repository, data, self.now)
        for ring in rings:
            publish.assign(self.repository, ring, release.number, self.now, kind=Kind.SETTINGS)
        self.stamp()
        return release


def make_pack(folder: Path, card: bytes = b"# made up\n", weights: int = 0) -> Path:
    """A pack that is whole as files. card: makes another pack of it. weights: bytes of a large file in it."""
    write_pack(folder, zoo_models())
    contents = read_pack(folder)
    files = {**contents.files, "card.md": card}
    if weights:
        files["golden.npz"] = bytes(range(256)) * (weights // 256)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / MANIFEST_NAME).write_bytes(write_manifest(manifest_of(contents.manifest.models, files)))
    return folder
