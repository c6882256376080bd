"""Checks whether this desk can do its work, each check with what to do about it.

Nothing is repaired here. A check that cannot be made because an earlier one failed is left out.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.capture.camera_identity import SystemTree, list_identities
from appliance.composition import OpenDesk, delivered, open_desk
from appliance.config import Camera, Config
from appliance.core.camera import CameraIdentity, objection
from appliance.core.device import Fact, Finding, Health
from appliance.core.errors import WindowUnusable
from appliance.face.pack import Pack, open_pack
from appliance.loudspeaker import find_voice, try_voice
from appliance.migration import progress
from appliance.packs_in_use import slots_of
from appliance.settings_in_use import in_force
from appliance.window_libraries import ask_loader, compositor_lacks, missing_libraries, packages_of, window_files
from sync.attestation import Attested
from sync.clock import Clock
from sync.envelope import TimeTrust
from sync.errors import KnownFailure
from sync.home import Home
from sync.key_report import KeyReport, inspect_keys
from sync.key_source import KeyOrigin
from sync.log_receipts import log_status
from sync.membership import read_membership
from sync.outbox import Outbox
from sync.signing import KeyClass

LOW_DISK = 1 << 30
"""Bytes: a year of events at 600 visits a day is about 0.4 GB."""

OLD_BACKLOG_S = 24 * 3600.0
"""A day without delivery is worth a look; nothing is lost."""


_BY_HEALTH = {Health.OK: Finding.FINE, Health.WARNING: Finding.ATTENTION, Health.FAILED: Finding.ATTENTION}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. remedy: empty when there is nothing to do. said: the same for who is not IT."""

    name: str
    health: Health
    found: str
    remedy: str = ""
    said: Fact | None = None

    @property
    def fact(self) -> Fact:
        """What is said of it in the patients' and receptionists' languages."""
        return self.said or Fact(_BY_HEALTH[self.health])


def _failed(name: str, failure: KnownFailure) -> Check:
    said = Fact(Finding.BROKEN, (("code", failure.code),))
    return Check(name, Health.FAILED, f"{failure.code} {failure}", failure.remedy, said)


def examine(
    home: Home,
    packs: Path,
    clock: Clock,
    tree: SystemTree | None = None,
    loader: Callable[[Path], str] = ask_loader,
) -> Iterator[Check]:
    """Make every check, one after the other.

    tree: where the system describes its devices, /dev and /sys. loader: what the system's loader says of a library.
    """
    yield _disk(home)
    yield _window(loader)
    yield _voice(home)
    try:
        config, managed = in_force(home)
    except KnownFailure as failure:
        yield _failed("configuration", failure)
        return
    afar = f", settings {managed.release.release} from afar" if managed.release else ""
    text = f"language {config.desk.language}, policy {config.policy.policy_id}{afar}"
    yield Check("configuration", Health.OK, text)
    yield _cameras(config.camera, tree or SystemTree())
    yield _keys(home)
    opened: list[Pack] = []
    yield _pack(home, config, packs, opened)
    with contextlib.ExitStack() as stack:
        try:
            desk = stack.enter_context(open_desk(home, clock))
        except KnownFailure as failure:
            yield _failed("records", failure)
            return
        yield from _records(desk)
        if opened:
            yield _guarded("templates", partial(_templates, opened), desk)


def _records(desk: OpenDesk) -> Iterator[Check]:
    device = desk.settings.device
    enrolled = sum(1 for person in desk.records.people.summaries() if person.erased_at is None)
    yield _guarded("certificates", _certificates, desk)
    yield Check("records", Health.OK, f"device {device.device}, {enrolled} people enrolled")
    for name, check in (
        ("device key", _key),
        ("ledger", _ledger),
        ("clock", _clock),
        ("delivery", _delivery),
        ("log", _log),
    ):
        yield _guarded(name, check, desk)


def _guarded(name: str, check: Callable[[OpenDesk], Check], desk: OpenDesk) -> Check:
    try:
        return check(desk)
    except KnownFailure as failure:
        return _failed(name, failure)


def _disk(home: Home) -> Check:
    folder = next(p for p in (home.root, *home.root.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    text, values = f"{free / (1 << 30):.1f} GB free", (("free", round(free / (1 << 30))),)
    if free < LOW_DISK:
        remedy = "Free space; a full disk stops new visits from being recorded."
        return Check("disk", Health.WARNING, text, remedy, Fact(Finding.DISK_LOW, values))
    return Check("disk", Health.OK, text, said=Fact(Finding.DISK_FREE, values))


def _window(ask: Callable[[Path], str]) -> Check:
    """Whether a window could be drawn here. A desk without a screen works all the same."""
    try:
        missing = missing_libraries(window_files(), ask)
    except WindowUnusable as failure:
        return Check("window", Health.WARNING, f"{failure.code} {failure}", failure.remedy)
    lacks = compositor_lacks()
    packages = (*packages_of(missing), *lacks)
    if not missing and not lacks:
        return Check("window", Health.OK, "its libraries are here")
    if not packages:
        return Check("window", Health.WARNING, f"missing: {', '.join(missing)}", WindowUnusable.remedy)
    remedy = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    said = Fact(Finding.WINDOW_LACKS, (("count", len(packages)),))
    return Check("window", Health.WARNING, f"missing: {', '.join((*missing, *lacks))}", remedy, said)


def _voice(home: Home) -> Check:
    """Whether the window could be heard. A patient who hears nothing still reads."""
    found = try_voice(find_voice(home.root / "voice"))
    if not found.packages and found.card:
        return Check("voice", Health.OK, found.summary())
    install = f"sudo apt-get install --no-install-recommends {' '.join(found.packages)}" if found.packages else ""
    plug = "" if found.card else "plug in a loudspeaker, or go on without"
    remedy = "; ".join(filter(None, (install, plug)))
    fact = Fact(Finding.VOICE_SILENT if found.silent or not found.card else Finding.VOICE_LACKS)
    return Check("voice", Health.WARNING, found.summary(), remedy, fact)


def _cameras(settings: Camera, tree: SystemTree) -> Check:
    """Every camera that is plugged in, and whether it may serve this desk."""
    found = [(camera, objection(camera, settings.allowed, settings.streams)) for camera in list_identities(tree)]
    if not found:
        remedy = "Plug in a webcam, or use --video FILE."
        return Check("camera", Health.WARNING, "no camera found", remedy, Fact(Finding.CAMERA_NONE))
    text = ", ".join(f"{_shown(camera)}: {why or 'allowed'}" for camera, why in found)
    if all(why is not None for _, why in found):
        remedy = "Plug in an allowed camera, or allow one: keldim cameras"
        return Check("camera", Health.FAILED, text, remedy, Fact(Finding.CAMERA_REFUSED))
    if not settings.allow:
        remedy = "Name the clinic's cameras in [camera] allow: keldim cameras"
        return Check("camera", Health.WARNING, text, remedy, Fact(Finding.CAMERA_UNLISTED))
    allowed = sum(why is None for _, why in found)
    return Check("camera", Health.OK, text, said=Fact(Finding.CAMERA_READY, (("count", allowed),)))


def _shown(camera: CameraIdentity) -> str:
    return f"{camera.node} {camera.label or 'unknown camera'} ({camera.ids})"


def _keys(home: Home) -> Check:
    """Where the keys lie at rest, and what seals them."""
    try:
        report = inspect_keys(home)
    except KnownFailure as failure:
        return _failed("keys at rest", failure)
    health, found, remedy = _judged(report)
    return Check("keys at rest", health, found, remedy)


def _judged(report: KeyReport) -> tuple[Health, str, str]:
    text = _lying(report)
    if report.open_to_others:
        named = ", ".join(report.open_to_others)
        return Health.FAILED, f"other users may read {named}", "Set mode 0600 on the key files."
    if report.pending:
        found = f"a rotation was cut off: {', '.join(report.pending)}"
        return Health.WARNING, found, "Run the same `keldim keys rotate` again."
    if report.surplus:
        found = f"sealed, but also plain: {', '.join(report.surplus)}"
        return Health.WARNING, found, "Run `keldim keys seal` again: it removes the plain files."
    if not report.recovery:
        remedy = "A dead machine takes the templates along. Seal a copy to the fund: keldim keys recovery"
        return Health.WARNING, f"{text}; no recovery copy", remedy
    if not report.by_tpm and not report.hidden:
        return Health.WARNING, text, "Who takes the disk has both. Seal the keys to the TPM: keldim keys seal"
    return Health.OK, text, ""


def _lying(report: KeyReport) -> str:
    if report.origin is KeyOrigin.FILE:
        return "key files beside the database, mode 0600, not sealed"
    if report.hidden:
        return "sealed; with what, only root can see"
    if not report.sealed:
        return "credentials given by systemd, not sealed by Keldim"
    seals = ", ".join(sorted(seal.value if seal else "unknown seal" for seal in report.seals)) or "unreadable here"
    return f"sealed by systemd-creds with {seals}" + ("" if report.by_tpm else ", not bound to a TPM")


def _pack(home: Home, config: Config, packs: Path, opened: list[Pack]) -> Check:
    """The pack and the previous ones; opened: gets them."""
    try:
        here, slot = delivered(config, packs), slots_of(home).peek()
        paths = here.paths if slot is None else (slot, *here.paths)
        opened += [open_pack(path, accepted=here.licences) for path in paths]
    except KnownFailure as failure:
        return _failed("model pack", failure)
    pack, cohorts = opened[0], len(opened[0].measured.cohorts)
    text = f"{pack.name} {pack.digest[:12]}, self-test passed, {cohorts} cohorts"
    if opened[1:]:
        text += f"; moving away from {', '.join(each.name for each in opened[1:])}"
    said = Fact(Finding.PACK_READY, (("name", pack.name), ("digest", pack.digest[:12])))
    return Check("model pack", Health.OK, text, said=said)


def _templates(opened: list[Pack], desk: OpenDesk) -> Check:
    """Whether the packs in use know everybody, and how far a move to the first of them has come."""
    at = progress(desk.records, opened[0].digest)
    used = desk.records.pack_forms.with_alike(pack.digest for pack in opened)
    lost = sum(used.isdisjoint(packs) for packs in desk.records.templates.held().values())
    text = f"{at.moved} of {at.people} people by {opened[0].name}"
    if lost:
        remedy = "Name their pack in [pack] previous, or enrol them again; see: keldim models migration"
        return Check("templates", Health.WARNING, f"{text}; {lost} by no pack in use", remedy)
    return Check("templates", Health.OK, text)


def _key(desk: OpenDesk) -> Check:
    key_class = desk.key.signer.key_class
    if key_class == KeyClass.FILE:
        return Check(
            "device key",
            Health.WARNING,
            "a software key in a file: for demonstration only",
            "Use a desk with a TPM or a token for real visits; the fund sees the class of the key.",
            Fact(Finding.KEY_SOFTWARE),
        )
    desk.key.check()
    proven = read_membership(desk.home).attested == Attested.PROVEN
    text = f"{key_class}, can sign now, {'proven to' if proven else 'not proven to'} the fund"
    return Check("device key", Health.OK, text, said=Fact(Finding.KEY_READY, (("key_class", key_class.upper()),)))


def _certificates(desk: OpenDesk) -> Check:
    """Both certificates, a month ahead. Their end stops delivery, not visits."""
    membership, now = read_membership(desk.home), desk.clock.moment().wall
    warnings = membership.warnings(now)
    if warnings:
        ended = any(end is not None and now >= end for end in (membership.certificate_ends, membership.tls_ends))
        remedy = "Run: keldim device renew; visits go on and are kept meanwhile."
        return Check("certificates", Health.FAILED if ended else Health.WARNING, "; ".join(warnings), remedy)
    ends = membership.certificate_ends
    return Check("certificates", Health.OK, f"class {membership.attested}, good until {ends.date() if ends else ''}")


def _ledger(desk: OpenDesk) -> Check:
    report = desk.ledger.verify(desk.settings.fund.jwk)
    text = f"{report.events} events, chain verified, {report.receipts} receipts"
    text += f"; {_counter(desk)}"
    stopped, waiting = desk.ledger.stopped, desk.ledger.waiting
    if stopped is not None:
        said = Fact(Finding.BROKEN, (("code", stopped.code),))
        return Check("ledger", Health.FAILED, f"nothing is signed: {stopped.code} {stopped}", stopped.remedy, said)
    if waiting:
        remedy = "Make the device key reachable; what waits is signed by itself, before anything newer."
        said = Fact(Finding.LEDGER_WAITS, (("count", waiting),))
        return Check("ledger", Health.WARNING, f"{text}; {waiting} events wait for the device key", remedy, said)
    return Check("ledger", Health.OK, text, said=Fact(Finding.LEDGER_WHOLE, (("count", report.events),)))


def _counter(desk: OpenDesk) -> str:
    """What would show that an older copy of the whole home was started."""
    if desk.key.counter is None:
        return "the key has no counter: an older copy of database and journal shows only at the fund"
    return "checkpoints by the key's counter"


def _clock(desk: OpenDesk) -> Check:
    last = desk.ledger.entries(max(desk.ledger.head().seq - 1, 0), 1)
    trust = last[0].trust if last else TimeTrust.SYSTEM
    if trust is TimeTrust.SUSPECT:
        remedy = "Set the clock; events carry the doubt."
        return Check("clock", Health.WARNING, "jumped or ran backwards", remedy, Fact(Finding.CLOCK_SUSPECT))
    return Check("clock", Health.OK, f"trust: {trust}", said=Fact(Finding.CLOCK_TRUSTED))


def _log(desk: OpenDesk) -> Check:
    """Whether the fund's transparency log shows what this desk delivered."""
    status = log_status(desk.records.db)
    if status.alarm:
        return Check("log", Health.FAILED, status.summary(), "Keep the evidence: keldim sync log; call the witnesses.")
    if status.error:
        return Check("log", Health.WARNING, status.summary(), "It is tried again; see: keldim sync status")
    return Check("log", Health.OK, status.summary())


def _delivery(desk: OpenDesk) -> Check:
    status = Outbox(desk.records.db).status(desk.clock.moment().wall.timestamp())
    text, age = status.summary(), status.oldest_pending_age_s
    waiting = (("count", status.pending), ("age", round(age or 0.0)))
    if status.alarm or status.parked_count:
        remedy = "See: keldim sync status; call the fund about parked events."
        said = Fact(Finding.BACKLOG_PARKED, (("count", status.parked_count),))
        return Check("delivery", Health.FAILED, text, remedy, said)
    if (age or 0.0) > OLD_BACKLOG_S:
        remedy = "Check the network and that the sync service runs."
        return Check("delivery", Health.WARNING, text, remedy, Fact(Finding.BACKLOG_OLD, waiting))
    said = Fact(Finding.BACKLOG_NONE) if age is None else Fact(Finding.BACKLOG_WAITS, waiting)
    return Check("delivery", Health.OK, text, said=said)
