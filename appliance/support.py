"""One archive that lets somebody far away see what is the matter with a desk, without anybody's personal data.

Every part is either counted or measured here, or is a text that went through `scrub`. Nothing that was recorded about a
visit goes in: no event, no table, no picture, no key. What is checked is `health`'s.
"""

import contextlib
import gzip
import io
import json
import os
import platform
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from appliance.capture.camera_identity import SystemTree
from appliance.composition import OpenDesk, open_desk, software_version
from appliance.core.errors import SetupUnreadable
from appliance.health import Check, examine
from appliance.scrub import Scrubber
from appliance.setup_record import read_progress
from sync.clock import Clock
from sync.errors import KnownFailure
from sync.home import Home
from sync.ledger import count_kinds
from sync.log_receipts import log_status
from sync.outbox import Outbox

LOG_BYTES = 1 << 20
"""Of the end of each log file: some days at the usual level."""

_LOG_NAME = re.compile(r"(?:desk|sync|kiosk)\.log(?:\.\d+)?")
_LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ +)\d+ (.*)", re.DOTALL)

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

README = """Support bundle of a Keldim desk.

bundle.json         what this is, when it was made, versions of program, packages and system
doctor.json         every check of `keldim doctor`
configuration.json  settings of keldim.toml; addresses of cameras, names of clinic and desk, paths and keys are left out
counts.json         how many people, services and events there are; no person, no event
delivery.json       what waits for the fund, and its last answer
log.json            the fund's log, as this desk saw it
setup.json          how far the set-up of the desk has come
timings.json        seconds that each check took
logs/               the ends of the log files

There is no name, number of a document, picture, template or key in it, and no event. In every text each word that is
not the program's own, and each long number, is replaced by \N{MEDIUM SHADE}. The registered name of the device is left.
"""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    name: str
    content: bytes


def collect(home: Home, packs: Path, clock: Clock, tree: SystemTree | None = None) -> Iterator[Member]:
    """Every file of the archive, one after the other; what cannot be had is left out, and doctor.json says why.

    tree: where the system describes its devices, /dev and /sys.
    """
    yield Member("README.txt", README.encode())
    yield _json("bundle.json", _versions(clock))
    try:
        with open_desk(home, clock) as desk:
            scrub = Scrubber(_names(desk))
            members = list(_of_desk(desk, scrub))
    except KnownFailure:  # the doctor opens the desk too, and says why it cannot be
        scrub, members = Scrubber(), []
    yield from members
    with contextlib.suppress(SetupUnreadable):
        yield _json("setup.json", _plain(read_progress(home).results, scrub))
    yield from _examined(examine(home, packs, clock, tree), clock, scrub)
    yield from _logs(home, scrub)


def archive(members: list[Member], at: float) -> bytes:
    """A tar.gz. at: seconds since the epoch, of every file. Its headers name no user, host or path of this machine."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=int(at)) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for member in members:
            header = tarfile.TarInfo(f"keldim-support/{member.name}")
            header.size, header.mtime, header.mode = len(member.content), int(at), 0o600
            tar.addfile(header, io.BytesIO(member.content))
    return packed.getvalue()


def _json(name: str, value: Value) -> Member:
    return Member(name, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode())


def _versions(clock: Clock) -> Value:
    """Program, packages and system; no name of a host or user."""
    asked = [re.split(r"[<>=\[; ]", line)[0] for line in metadata.requires("keldim") or ()]
    installed = {found.name.lower().replace("_", "-"): found.version for found in metadata.distributions()}
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        system = ""
    return {
        "bundle": 1,
        "made": clock.moment().wall.isoformat(),
        "software": software_version(),
        "packages": {name: installed.get(name.lower().replace("_", "-")) for name in asked},
        "python": platform.python_version(),
        "system": system,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
    }


def _names(desk: OpenDesk) -> Iterator[str]:
    """Of everybody who is enrolled here, patients and staff, so that they go also where they are words."""
    for people in (desk.records.people, desk.records.staff.people):
        for summary in people.summaries():
            if summary.greeting:
                profile = people.profile(summary.person)
                yield f"{profile.given_name} {profile.family_name}"


def _of_desk(desk: OpenDesk, scrub: Scrubber) -> Iterator[Member]:
    now = desk.clock.moment().wall
    records = desk.records
    people: dict[str, Value] = {
        name: {
            "enrolled": sum(person.erased_at is None for person in register),
            "erased": sum(person.erased_at is not None for person in register),
            "templates": sum(person.templates for person in register),
        }
        for name, register in (
            ("patients", list(records.people.summaries())),
            ("staff", list(records.staff.people.summaries())),
        )
    }
    today = records.services.on(now.date())
    counts: dict[str, Value] = {
        "people": people,
        "services_today": len(today),
        "confirmed_today": sum(service.event is not None for service in today),
        "events": dict(count_kinds(records.db)),
        "unsigned": desk.ledger.waiting,
        "database_bytes": desk.home.database.stat().st_size,
    }
    yield _json("counts.json", counts)
    yield _json("delivery.json", _plain(Outbox(records.db).status(now.timestamp()), scrub))
    yield _json("log.json", _plain(log_status(records.db), scrub))
    settings: dict[str, Value] = {
        "device": desk.settings.device.device,
        "fund_url": desk.settings.fund.url,
        "key_class": desk.settings.key.key_class.value,
    }
    shown = replace(desk.config, camera=replace(desk.config.camera, streams=()))  # addresses may hold passwords
    settings["streams"] = len(desk.config.camera.streams)
    yield _json("configuration.json", {"desk": settings, "settings": _plain(shown, scrub)})


def _plain(value: object, scrub: Scrubber) -> Value:
    """A settings or status dataclass as it may leave: numbers and enums as they are, every free text scrubbed."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), scrub) for field in fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item, scrub) for item in value]
    return scrub.text(str(value))


def _examined(examination: Iterator[Check], clock: Clock, scrub: Scrubber) -> Iterator[Member]:
    """The doctor's report, and how long each check took, in seconds."""
    checks: list[Value] = []
    timings: dict[str, Value] = {}
    before = clock.monotonic()
    for check in examination:
        after = clock.monotonic()
        timings[check.name], before = round(after - before, 4), after
        checks.append(_check(check, scrub))
    yield _json("doctor.json", checks)
    yield _json("timings.json", timings)


def _check(check: Check, scrub: Scrubber) -> Value:
    return {
        "check": check.name,
        "health": check.health.value,
        "found": scrub.text(check.found),
        "remedy": scrub.text(check.remedy),
    }


def _logs(home: Home, scrub: Scrubber) -> Iterator[Member]:
    """The end of each log file, line by line; only the instant and the level are taken as they are."""
    for path in sorted(home.log.glob("*.log*")):
        if _LOG_NAME.fullmatch(path.name) and path.is_file():
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - LOG_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
            yield Member(f"logs/{path.name}", "".join(f"{_line(line, scrub)}\n" for line in lines).encode())


def _line(line: str, scrub: Scrubber) -> str:
    found = _LOG_LINE.fullmatch(line)
    return found[1] + scrub.text(found[2]) if found else scrub.text(line)
