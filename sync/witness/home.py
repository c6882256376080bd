"""A witness's directory: its key, its name, the one log it watches and where that is; made once.

What it remembers is left to `book`, its rounds to `rounds`. A witness belongs to somebody who gains nothing from what
the fund would like to forget: a chamber of doctors, a ministry, an auditor.
"""

from dataclasses import dataclass
from pathlib import Path

from sync.durable import create_file
from sync.errors import EnvelopeInvalid, KeyUnusable, SettingsInvalid, WitnessExists
from sync.home import FundSettings
from sync.log_checkpoint import LogPolicy
from sync.note import KeyKind, NoteKey, NoteSigner
from sync.signing import PublicJwk
from sync.strict_json import Members, dump
from sync.transport import pinned_context
from sync.witness.book import Book


@dataclass(frozen=True, slots=True)
class WitnessHome:
    """Paths of one witness."""

    root: Path

    @property
    def settings(self) -> Path:
        """Name, log and address (`witness.json`); written last, so it marks a complete witness."""
        return self.root / "witness.json"

    @property
    def key(self) -> Path:
        """The witness's own key."""
        return self.root / "witness.key"

    @property
    def ca(self) -> Path:
        """The certificate authority of the fund's gateway."""
        return self.root / "ca.pem"

    @property
    def database(self) -> Path:
        """What it signed last."""
        return self.root / "witness.db"

    @property
    def lock(self) -> Path:
        """Held by the process that makes rounds."""
        return self.root / "witness.lock"


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Who this witness is and what it watches."""

    witness: NoteKey
    log: LogPolicy
    fund: FundSettings

    @property
    def public(self) -> str:
        """What the fund is told: the verifier key."""
        return self.witness.vkey


def make_witness(home: WitnessHome, name: str, fund_json: bytes) -> WitnessSettings:
    """Make a witness in an empty directory. fund_json: what the fund gives to desks.

    Raises WitnessExists, SettingsInvalid (the fund's file, or the name), KeyUnusable, DatabaseFailure.
    """
    try:
        members = Members.parse(fund_json)
        url, ca_pem = members.text("url"), members.text("ca_pem")
        policy = LogPolicy.read(members.object("log"))
        jwk = PublicJwk.parse(members.object("public_jwk").content)
        pinned_context(ca_pem)
        fund = FundSettings(url, home.ca, jwk)
        _claim(home)
        signer = NoteSigner.create(home.key, name, KeyKind.WITNESS)
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"not the file of a fund with a log, or not a name: {error}") from error
    Book.create(home.database)
    content = dump({"witness": signer.public.vkey, "url": url, "log": policy.members(), "public_jwk": jwk.as_dict()})
    try:
        create_file(home.ca, ca_pem.encode("ascii"))
        create_file(home.settings, content)
    except OSError as error:
        raise KeyUnusable(f"{home.root.name} cannot be written: {error.strerror}") from error
    return WitnessSettings(signer.public, policy, fund)


def load_witness(home: WitnessHome) -> WitnessSettings:
    """The settings of a witness. Raises SettingsInvalid."""
    try:
        members = Members.parse(home.settings.read_bytes())
        return WitnessSettings(
            NoteKey.parse(members.text("witness"), KeyKind.WITNESS),
            LogPolicy.read(members.object("log")),
            FundSettings(members.text("url"), home.ca, PublicJwk.parse(members.object("public_jwk").content)),
        )
    except (OSError, EnvelopeInvalid) as error:
        raise SettingsInvalid(f"{home.settings.name} is missing or damaged: see keldim witness init") from error


def _claim(home: WitnessHome) -> None:
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(home.root.iterdir()):
            raise WitnessExists(f"{home.root.name} is not empty")
    except OSError as error:
        raise WitnessExists(f"{home.root.name} cannot be made: {error.strerror}") from error
