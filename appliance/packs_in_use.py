"""Opens the packs a desk works with: the one of its slot, or the delivered one, and those whose templates it still has.

A pack on trial is examined first, and given up by itself when it fails; then the other slot's is taken, then the
delivered one. What slots are belongs to `models.slots`; how updates come to `updating`.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.core.errors import ImageUnreadable, PackInvalid, PackSlow, PackUncalibrated, PackUnfit
from appliance.core.policy import Policy
from appliance.core.types import PackDigest
from appliance.examination import examine
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from models.errors import LicenceNotAccepted, PackDamaged
from models.manifest import MANIFEST_NAME, pack_digest
from models.manifest_document import parse_manifest
from models.releases import Wanted, parse_followed
from models.slot_state import Fault
from models.slots import Chosen, Slots
from sync.home import Home

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The packs that came with the desk. paths: its own, then those it moves away from. licences: where accepted."""

    paths: tuple[Path, ...]
    licences: Path


@dataclass(frozen=True, slots=True)
class OpenedPacks:
    """first: the pack of this desk. earlier: packs whose templates it has.

    release: of the first; None: it was delivered. trial: the first has yet to prove itself.
    """

    first: Pack
    earlier: tuple[Pack, ...] = ()
    release: Wanted | None = None
    trial: bool = False

    @property
    def all(self) -> tuple[Pack, ...]:
        """Every opened pack, the desk's first."""
        return (self.first, *self.earlier)


class PacksInMemory:
    """Packs that this process has opened already, by digest: taking one into use again costs nothing.

    One that goes on trial is opened here before, on another thread, while the desk works on with the other.
    """

    def __init__(self) -> None:
        self._opened: dict[PackDigest, Pack] = {}
        self._examined: set[PackDigest] = set()
        self._used: dict[PackDigest, Pack] = {}

    def open(self, path: Path, accepted: Path | None = None) -> Pack:
        """As `open_pack`, which has verified every byte of what is in memory."""
        try:
            found = self._opened.get(PackDigest(pack_digest((path / MANIFEST_NAME).read_bytes())))
        except OSError:
            found = None
        pack = found or open_pack(path, accepted=accepted)
        self._opened[pack.digest] = pack
        return pack

    def examine(self, pack: Pack, policy: Policy, monotonic: Callable[[], float]) -> None:
        """As `appliance.examination.examine`, once."""
        if pack.digest not in self._examined:
            examine(FacePipeline(pack), pack.measured, policy, monotonic)
            self._examined.add(pack.digest)

    def keep(self, packs: Collection[Pack]) -> None:
        """Forget all but these, now in use, and those in use before: the desk may go back to them."""
        before, self._used = self._used, {pack.digest: pack for pack in packs}
        self._opened = {**before, **self._used}


def slots_of(home: Home) -> Slots:
    """The two slots of a desk."""
    return Slots(home.root / "updates" / "slots")


def ring_of(home: Home) -> str:
    """Whose assignments the desk follows; empty: nobody's, or what it noted of that is damaged."""
    try:
        return parse_followed((home.root / "updates" / "follow.json").read_bytes()).ring.value
    except (OSError, PackDamaged):
        return ""


def forms(paths: Iterable[Path]) -> Iterator[tuple[PackDigest, str]]:
    """Digest and form of the packs in these folders, as far as their manifests can be read."""
    for path in paths:
        try:
            data = (path / MANIFEST_NAME).read_bytes()
            yield PackDigest(pack_digest(data)), parse_manifest(data).template_form()
        except (OSError, PackDamaged) as failure:
            _log.info("the form of pack %s is not known: %s", path.name, failure)


def open_packs(
    slots: Slots,
    delivered: Delivered,
    policy: Policy,
    held: Collection[PackDigest],
    monotonic: Callable[[], float],
    *,
    counted: bool,
    memory: PacksInMemory | None = None,
) -> OpenedPacks:
    """Open the packs to work with. held: packs of whose form there are templates. counted: as `Slots.begin`.

    memory: of this process.
    Raises PackInvalid, PackUncalibrated, LicenceNotAccepted of the delivered pack; NoHealthyPack, SlotsUnusable.
    """
    memory = memory or PacksInMemory()
    chosen = slots.begin(counted=counted)
    while chosen is not None:
        pack = _tried(slots, chosen, delivered.licences, policy, monotonic, memory)
        if pack is not None:
            others = (*((chosen.earlier,) if chosen.earlier else ()), *delivered.paths)
            back = others[0] if chosen.trial else None
            earlier = _earlier(pack, others, delivered.licences, held, back, memory)
            return OpenedPacks(pack, earlier, chosen.pack, chosen.trial)
        chosen = slots.begin(counted=counted)
    first, *rest = (memory.open(path) for path in delivered.paths)
    return OpenedPacks(first, tuple(rest))


def _tried(
    slots: Slots,
    chosen: Chosen,
    accepted: Path,
    policy: Policy,
    monotonic: Callable[[], float],
    memory: PacksInMemory,
) -> Pack | None:
    """The chosen pack, opened; None: it was given up."""
    try:
        pack = memory.open(chosen.path, accepted)
        if chosen.trial:
            memory.examine(pack, policy, monotonic)
    except (PackInvalid, PackUncalibrated, PackUnfit) as failure:
        _log.warning("release %d is given up: %s", chosen.pack.release, failure)
        slots.give_up(chosen.pack, Fault.SLOW if isinstance(failure, PackSlow) else Fault.SELF_TEST)
        return None
    except (LicenceNotAccepted, ImageUnreadable) as failure:
        _log.warning("release %d is set aside: %s", chosen.pack.release, failure)
        slots.set_aside(chosen.pack)
        return None
    return pack


def _earlier(
    first: Pack,
    paths: tuple[Path, ...],
    accepted: Path,
    held: Collection[PackDigest],
    back: Path | None,
    memory: PacksInMemory,
) -> tuple[Pack, ...]:
    """Of the packs the desk comes from, those it has templates of; each costs an embedding per frame.

    One whose templates the first can compare itself is not among them. back: where a roll-back would lead, and so
    opened in any case: who enrols during a trial gets templates by both.
    """
    found: dict[str, Pack] = {}
    own = first.manifest.template_form()
    for path in paths:
        try:
            data = (path / MANIFEST_NAME).read_bytes()
            form = parse_manifest(data).template_form()
            if form != own and form not in found and (path == back or PackDigest(pack_digest(data)) in held):
                found[form] = memory.open(path, accepted)
        except (OSError, PackDamaged, PackInvalid, PackUncalibrated, LicenceNotAccepted) as failure:
            _log.warning("whoever only has templates of pack %s is not recognised: %s", path.name, failure)
    return tuple(found.values())
