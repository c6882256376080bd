"""Commands about moving from one model pack to the next: models activate, migration, retire."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress_bar import ProgressBar

from appliance.cli.opening import working_desk
from appliance.cli.output import ERR, OUT, dump, say, table, warn
from appliance.cli.place import Json, place
from appliance.composition import OpenDesk
from appliance.config_edit import write_packs
from appliance.core.types import PackDigest
from appliance.face.pack import open_pack
from appliance.migration import Progress, Retirement, preview, progress
from appliance.migration import retire as retire_pack
from appliance.packs_in_use import slots_of
from models.errors import PackUnknown
from models.store import PackStore

app = typer.Typer()

_SHOWN_DAYS = 14
_LEAST_DIGEST = 8
"""Digits of a digest by which a pack that is no longer installed may be named."""


def _store(desk: OpenDesk, packs: Path) -> PackStore:
    return PackStore(desk.config.pack.folder or packs)


def _installed(store: PackStore) -> dict[str, PackDigest]:
    """Digest of each whole pack by its name."""
    return {row.name: PackDigest(row.digest) for row in store.installed() if row.digest}


@dataclass(frozen=True, slots=True)
class _Packs:
    """The packs of a desk. digests: of the installed ones by name. own: the pack it works with. name: of that one.

    needed: packs whose templates nobody may erase: the desk's own, and the way back from one on trial. also: whose
    templates are recognised, too.
    """

    digests: dict[str, PackDigest]
    name: str
    own: PackDigest
    needed: frozenset[PackDigest]
    also: frozenset[PackDigest]

    @property
    def names(self) -> dict[PackDigest, str]:
        """Names by digest."""
        return {digest: name for name, digest in self.digests.items()} | {self.own: self.name}


def _packs(desk: OpenDesk, packs: Path) -> _Packs:
    """A pack that came signed is the desk's own before the one that stands in its configuration. Raises PackUnknown."""
    config, digests, state = desk.config.pack, _installed(_store(desk, packs)), slots_of(desk.home).state()
    signed, own = state.pack(state.in_use), digests.get(config.name)
    needed = {PackDigest(pack.digest) for slot, pack in state.packs if slot in {state.good, state.trying}}
    if state.good is None and own is not None:
        needed.add(own)
    name = config.name
    if signed is not None:
        own, name = PackDigest(signed.digest), f"release {signed.release}"
    if own is None:
        raise PackUnknown(f"the desk's pack {config.name!r} is not installed, or damaged")
    delivered = {digests[each] for each in (config.name, *config.previous) if each in digests}
    also = delivered | {PackDigest(pack.digest) for _, pack in state.packs}
    return _Packs(digests, name, own, frozenset(needed), frozenset(also))


@app.command()
def activate(
    context: typer.Context, name: Annotated[str, typer.Argument(help="An installed pack.")], as_json: Json = False
) -> None:
    """Make a pack the desk's own. Patients are recognised by the one before until their next confirmed visit.

    The pack is opened first: every hash, its self-test, its calibration, its licence.
    """
    with working_desk(context) as desk:
        store, before = _store(desk, place(context).packs), desk.config.pack
        with ERR.status(f"{name}: checking"):
            pack = open_pack(store.path(name))
        desk.records.pack_forms.note(pack.digest, pack.manifest.template_form())
        held = {digest for packs in desk.records.templates.held().values() for digest in packs}
        held |= {digest for packs in desk.records.staff.templates.held().values() for digest in packs}
        digests = _installed(store)
        others = [other for other in (before.name, *before.previous) if other != name]
        previous = tuple(other for other in others if digests.get(other) in held)
        if (name, previous) != (before.name, before.previous):
            write_packs(desk.home.config, name, previous)
        at = progress(desk.records, pack.digest)
        state = slots_of(desk.home).state()
        signed = state.pack(state.in_use)
    if as_json:
        dump({"name": name, "digest": pack.digest, "previous": list(previous), "waiting": at.people - at.moved})
    else:
        when = "restart the desk to use it"
        if signed is not None:
            when = f"release {signed.release}, which came signed, stays in use"
        say(f"pack {name} {pack.digest[:12]} is the desk's delivered one; {when}")
        if previous:
            say(
                f"{at.people - at.moved} of {at.people} people are recognised by {', '.join(previous)} until they visit"
            )


@app.command()
def migration(context: typer.Context, as_json: Json = False) -> None:
    """Show how many people have templates of the desk's pack, and how many wait for their next visit."""
    with working_desk(context) as desk:
        packs = _packs(desk, place(context).packs)
        at = progress(desk.records, packs.own)
    names = packs.names
    if as_json:
        dump(_as_json(at, names))
        return
    say(f"pack {packs.name} {at.pack[:12]}: {at.moved} of {at.people} people, {at.share:.1%}")
    OUT.print(ProgressBar(total=max(at.people, 1), completed=at.moved if at.people else 1, width=50))
    say("")  # a bar does not end its line
    rows = [
        (
            names.get(pack, f"unknown {pack[:12]}"),
            count,
            "recognised" if pack in packs.also else "not recognised",
        )
        for pack, count in at.waiting
    ]
    if rows:
        table("", ("waiting with templates of", "people", "until then"), rows)
    if at.days:
        table("", ("day", "people moved"), [(day.isoformat(), count) for day, count in at.days[-_SHOWN_DAYS:]])
    if any(row[2] == "not recognised" for row in rows):
        warn("Some people have templates of packs that the desk does not use: name the pack in [pack] previous.")


def _as_json(at: Progress, names: dict[PackDigest, str]) -> dict[str, object]:
    return {
        "pack": names[at.pack],
        "digest": at.pack,
        "people": at.people,
        "moved": at.moved,
        "both": at.both,
        "share": round(at.share, 4),
        "waiting": [{"digest": pack, "pack": names.get(pack), "people": count} for pack, count in at.waiting],
        "days": [{"day": day.isoformat(), "people": count} for day, count in at.days],
    }


@app.command()
def retire(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A pack by name; one not installed any more by its digest.")],
    now: Annotated[bool, typer.Option("--now", help="Erase; without it, only what would be lost is shown.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where people lose their only template, if the policy allows it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase all templates of a pack the desk has moved away from, and record it. The pack's files stay."""
    with working_desk(context) as desk:
        config, packs = desk.config.pack, _packs(desk, place(context).packs)
        pack = _meant(desk, name, packs.digests)
        if pack in packs.needed:
            raise typer.BadParameter(
                "is the desk's own pack, or the way back from one on trial; another one must come first",
                param_hint="NAME",
            )
        if now:
            policy = desk.config.policy
            lost = retire_pack(desk.records, desk.ledger, desk.clock, desk.software, policy, pack, force=force)
            if name in config.previous:
                rest = tuple(other for other in config.previous if other != name)
                write_packs(desk.home.config, config.name, rest)
        else:
            lost = preview(desk.records, pack)
    _tell(lost, name, now, as_json)


def _tell(lost: Retirement, name: str, now: bool, as_json: bool) -> None:
    if as_json:
        dump(
            {
                "digest": lost.pack,
                "erased": now,
                "templates": lost.templates,
                "people": lost.people,
                "stranded": lost.stranded,
                "staff": lost.staff,
                "staff_stranded": lost.staff_stranded,
                "share": round(lost.share, 4),
            }
        )
        return
    did = "erased" if now else "would be erased"
    who = f"{lost.people} patients and {lost.staff} staff"
    say(f"pack {name} {lost.pack[:12]}: {lost.templates} templates of {who} {did}")
    must = "must" if now else "would have to"
    say(f"{lost.stranded} patients and {lost.staff_stranded} staff have no other template and {must} enrol again")
    if not now:
        say("nothing was changed; erase with --now" + (" --force" if lost.stranded + lost.staff_stranded else ""))


def _meant(desk: OpenDesk, name: str, digests: dict[str, PackDigest]) -> PackDigest:
    """The pack of this name, or the one with templates here whose digest begins so."""
    if name in digests:
        return digests[name]
    records = desk.records
    held = {
        pack for register in (records, records.staff) for packs in register.templates.held().values() for pack in packs
    }
    found = [pack for pack in held if len(name) >= _LEAST_DIGEST and pack.startswith(name)]
    if len(found) != 1:
        raise PackUnknown(f"no pack {name!r} is installed, and nobody's templates are of one with that digest")
    return found[0]
