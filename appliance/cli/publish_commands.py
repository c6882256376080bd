"""Commands of publishers: models key, found, publish, publish-settings, ring, promote, withdraw, sign, stamp, drop.

What each does is `models.publish`'s and `models.repository`'s; the ceremony around them: `firmware_notes/updates.md`.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.output import EXIT_NO, dump, say, table
from appliance.cli.place import Json, place
from appliance.cli.signing_keys import KeyPlace, Module, Passphrase, PinFile, Token, make, opened
from appliance.config import read
from appliance.managed import check
from models import publish as publishing
from models.publish import Parties, Release
from models.publishing_keys import read_public
from models.releases import Kind, Ring, write_time
from models.repository import Repository
from models.store import PackStore
from sync.clock import SystemClock

app = typer.Typer()

Folder = Annotated[
    Path, typer.Option("--repository", envvar="KELDIM_REPOSITORY", help="Folder of the model repository.")
]
Number = Annotated[int, typer.Argument(help="Number of a release; see: keldim models status.", min=1)]
OfSettings = Annotated[bool, typer.Option("--settings", help="The number is of settings, not of a pack.")]
AtLeast = Annotated[
    int, typer.Option("--number", help="Its number; in a repository founded anew above all of the old one.", min=1)
]
Public = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Public key (.pub).")]


def _now() -> datetime:
    return SystemClock().moment().wall.astimezone(UTC)


@app.command("key")
def make_key(
    path: Annotated[Path, typer.Argument(help="File of the new key; its public half is put beside it as .pub.")],
    passphrase: Passphrase = None,
    token: Token = None,
    module: Module = None,
    pin: PinFile = None,
) -> None:
    """Make a publisher's key: in a file under a passphrase, or in a PKCS#11 token, which it never leaves."""
    key = make(KeyPlace(path, passphrase, token, module, pin))
    where = f"in token {token}" if token else f"in {path}"
    say(f"key {key.keyid[:12]} made {where}; its public half is {path.with_suffix('.pub')}")


@app.command()
def found(
    repository: Folder,
    root: Annotated[list[Path], typer.Option(exists=True, help="Public key of a root holder; three times.")],
    targets: Annotated[list[Path], typer.Option(exists=True, help="Public key of a releaser; three times.")],
    online: Public,
    canary: Public,
    early: Public,
    everybody: Annotated[Path, typer.Option("--all", exists=True, dir_okay=False, help="Public key (.pub).")],
) -> None:
    """Make a model repository that trusts these keys. Then each holder signs, and the online key stamps."""
    rings = {Ring.CANARY: canary, Ring.EARLY: early, Ring.ALL: everybody}
    parties = Parties(
        [read_public(path) for path in root],
        [read_public(path) for path in targets],
        read_public(online),
        {ring: read_public(path) for ring, path in rings.items()},
    )
    publishing.found(Repository(repository), parties, _now())
    say(f"repository made in {repository}; nothing is published before it is signed")
    _tell_waiting(Repository(repository))


@app.command()
def publish(
    context: typer.Context,
    repository: Folder,
    name: Annotated[str, typer.Argument(help="An installed pack; see: keldim models list.")],
    number: AtLeast = 1,
) -> None:
    """Make an installed pack a release; it waits for two of the three targets keys, and is in no ring yet."""
    pack = PackStore(place(context).packs).path(name)
    release = publishing.add_release(Repository(repository), pack, _now(), number)
    say(f"release {release.number}: pack {release.name} {release.version}, {release.digest[:12]}")
    _tell_waiting(Repository(repository))


@app.command("publish-settings")
def publish_settings(
    repository: Folder,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="TOML: [policy], and what else may be set.")
    ],
    number: AtLeast = 1,
) -> None:
    """Make settings a release, if a desk would accept them; it waits for two of the three targets keys."""
    data = read(file)
    config = check(data)
    release = publishing.add_settings(Repository(repository), data, _now(), number)
    say(f"settings {release.number}: {release.digest[:12]}, policy {config.policy.name} {config.policy.policy_id}")
    _tell_waiting(Repository(repository))


@app.command()
def sign(
    repository: Folder,
    key: Annotated[list[Path], typer.Option("--key", help="Key file; may be given several times.")],
    passphrase: Passphrase = None,
    token: Token = None,
    module: Module = None,
    pin: PinFile = None,
) -> None:
    """Sign everything that waits for this key. Exit code 4: nothing waits for it."""
    done: list[str] = []
    for path in key:
        with opened(KeyPlace(path, passphrase, token, module, pin)) as signer:
            signed = Repository(repository).sign(signer)
        say(f"{path.name}: " + (f"signed {', '.join(signed)}" if signed else "nothing waits for this key"))
        done += signed
    _tell_waiting(Repository(repository))
    if not done:
        raise typer.Exit(EXIT_NO)


@app.command()
def stamp(
    repository: Folder,
    key: Annotated[Path, typer.Option("--key", help="The online key's file.")],
    passphrase: Passphrase = None,
    token: Token = None,
    module: Module = None,
    pin: PinFile = None,
    renew: Annotated[bool, typer.Option("--renew", help="Only renew what is published; what waits goes on.")] = False,
) -> None:
    """Put out what is signed, with a new snapshot and timestamp. Daily, with --renew: a timestamp lives three days."""
    put_out = Repository(repository).renew if renew else Repository(repository).stamp
    with opened(KeyPlace(key, passphrase, token, module, pin)) as signer:
        changed = put_out([signer], _now())
    say(f"published: {', '.join(changed)}; serve {Repository(repository).public}, or copy it to a stick")


@app.command("ring")
def assign_ring(
    repository: Folder,
    ring: Annotated[Ring, typer.Argument(help="Whose desks.")],
    release: Number,
    floor: Annotated[int | None, typer.Option(help="From now on no release below this one is used.", min=0)] = None,
    settings: OfSettings = False,
    untried: Annotated[bool, typer.Option("--untried", help="Though the ring before does not run it.")] = False,
) -> None:
    """Let a ring's desks run a release; it waits for the ring's key."""
    kind = _kind(settings=settings)
    if not untried:
        publishing.require_before(Repository(repository), ring, release, kind)
    assigned = publishing.assign(Repository(repository), ring, release, _now(), floor, kind)
    say(f"ring {ring}: {_NAMES[kind]} {release}, floor {assigned.floor_of(kind)}")
    _tell_waiting(Repository(repository))


@app.command()
def promote(repository: Folder, release: Number, settings: OfSettings = False) -> None:
    """Let the next ring run a release: canary, early, all. Look at the fleet before."""
    kind = _kind(settings=settings)
    ring = publishing.promote(Repository(repository), release, _now(), kind)
    say(f"ring {ring}: {_NAMES[kind]} {release}")
    _tell_waiting(Repository(repository))


@app.command()
def withdraw(
    repository: Folder,
    release: Number,
    instead: Annotated[
        int | None, typer.Option(help="Release for the rings that ran it; else desks go back to the one before.", min=1)
    ] = None,
    settings: OfSettings = False,
) -> None:
    """Let no desk use a release any more. Waits for the keys of the rings."""
    kind = _kind(settings=settings)
    rings = publishing.withdraw(Repository(repository), release, _now(), instead, kind)
    say(f"{_NAMES[kind]} {release} withdrawn" + (f" from {', '.join(rings)}" if rings else "; no ring ran it"))
    _tell_waiting(Repository(repository))


@app.command()
def drop(
    repository: Folder,
    role: Annotated[str, typer.Argument(help="As status shows it: root, targets, canary, early or all.")],
) -> None:
    """Let what waits of a role not be published: a mistake, or half signed while something else is urgent."""
    if role not in ("root", "targets", *Ring):
        raise typer.BadParameter(f"{role} is no role", param_hint="ROLE")
    Repository(repository).drop(role)
    say(f"{role}: nothing waits any more")
    _tell_waiting(Repository(repository))


@app.command("change-key")
def change_key(
    repository: Folder,
    role: Annotated[str, typer.Argument(help="root, targets, online, canary, early or all.")],
    old: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Public key that is no longer trusted.")],
    new: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Public key in its place.")],
) -> None:
    """Replace a key that was lost or stolen; the holders sign, desks follow by themselves."""
    if role not in ("root", "targets", "online", *Ring):
        raise typer.BadParameter(f"{role} is no role", param_hint="ROLE")
    publishing.change_key(Repository(repository), role, read_public(old), read_public(new), _now())
    _tell_waiting(Repository(repository))


@app.command()
def status(repository: Folder, as_json: Json = False) -> None:
    """Show releases, rings, what waits for signatures and when what is published runs out. Exit code 4: it has."""
    state, now = publishing.state(Repository(repository)), _now()
    over = [role.role for role in state.roles if role.expires <= now]
    if as_json:
        dump(
            {
                "releases": [
                    {"release": one.number, "name": one.name, "version": one.version, **_standing(one)}
                    for one in state.releases
                    if one.kind is Kind.PACK
                ],
                "settings": [
                    {"release": one.number, **_standing(one)} for one in state.releases if one.kind is Kind.SETTINGS
                ],
                "roles": {
                    one.role: {"version": one.version, "expires": write_time(one.expires)} for one in state.roles
                },
                "waiting": {one.role: {"have": one.have, "missing": one.missing} for one in state.waiting},
                "floors": {str(ring): one.floor for ring, one in state.assignments.items()},
                "settings_floors": {str(ring): one.settings_floor for ring, one in state.assignments.items()},
            }
        )
    else:
        shown = [
            (_NAMES[one.kind], one.number, one.name, one.version, one.digest[:12], _rings(one))
            for one in state.releases
        ]
        table("", ("kind", "number", "pack", "version", "digest", "rings"), shown)
        table(
            "", ("role", "version", "ends"), [(one.role, one.version, write_time(one.expires)) for one in state.roles]
        )
        _tell_waiting(Repository(repository))
    if over:
        raise typer.Exit(EXIT_NO)


_NAMES = {Kind.PACK: "release", Kind.SETTINGS: "settings"}


def _kind(*, settings: bool) -> Kind:
    return Kind.SETTINGS if settings else Kind.PACK


def _standing(release: Release) -> dict[str, object]:
    return {"digest": release.digest, "rings": list(release.rings), "withdrawn": release.withdrawn}


def _rings(release: Release) -> str:
    return "withdrawn" if release.withdrawn else ", ".join(release.rings)


def _tell_waiting(repository: Repository) -> None:
    for one in repository.waiting():
        need = f"{one.missing} more" if one.missing else "enough: stamp it"
        say(f"waiting: {one.role} version {one.version}, {one.have} signed, {need}")
