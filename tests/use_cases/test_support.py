"""The support bundle tells what is the matter with a desk, and nothing about anybody."""

import base64
import gzip
import io
import json
import tarfile
from pathlib import Path

from appliance.core.setup_steps import Outcome, Problem, SetupProgress, SetupStep, StepResult
from appliance.records.schedule import ScheduledService
from appliance.setup_record import keep
from appliance.support import LOG_BYTES, Member, archive, collect
from sync.database import immediate
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_embedding, make_iin, make_profile
from tests.fakes.system_tree import FakeSystem
from tests.fakes.working_desk import WorkingDesk, make_look

STRANGER = "Жансая Төлегенова"
"""Somebody whom no record knows: planted as free text."""

LATIN = "Zhansaya"
PASSWORD = "Hunter22secret"
EVERYTHING = {
    *("README.txt", "bundle.json", "doctor.json", "configuration.json", "counts.json", "delivery.json", "log.json"),
    *("setup.json", "timings.json", "logs/desk.log", "logs/sync.log", "logs/desk.log.1"),
}


def unpacked(packed: bytes) -> dict[str, bytes]:
    """The files of an archive by name."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        files = {member.name.removeprefix("keldim-support/"): tar.extractfile(member) for member in tar}
        return {name: file.read() for name, file in files.items() if file is not None}


def document(members: list[Member], name: str) -> "dict[str, object]":
    """One JSON file of the archive."""
    found: dict[str, object] = json.loads(next(m.content for m in members if m.name == name))
    return found


def secrets_of(home: Home) -> list[bytes]:
    """Every way to write a key of this desk, a name, a number, a face."""
    keys = [path.read_bytes() for path in home.keys.iterdir() if path.name != "device.pem"]
    plain = [*keys, *(make_look(number, variant).embedding.vector.tobytes() for number in (1, 2) for variant in (0, 1))]
    plain.append(make_embedding(77).vector.tobytes())
    whole = [form for value in plain for form in (value, value.hex().encode(), base64.b64encode(value))]
    pem = (home.device_key.read_text().splitlines()[1]).encode()
    people = [make_profile(number) for number in (1, 2)]
    names = [name for p in people for name in (p.given_name, p.family_name, p.iin.digits, p.iin.digits[:6])]
    texts = [*names, *STRANGER.split(), LATIN, PASSWORD, make_iin(500).digits, "Кардиолог", "d-akhmetov", "701"]
    return [*whole, pem, *(form.encode() for text in texts for form in (text, text.lower(), text.upper()))]


def plant(home: Home, desk: WorkingDesk) -> None:
    """Names, numbers, faces and keys in every source that the bundle reads."""
    desk.enrol(1)
    desk.employ(2)
    line = ScheduledService(
        line=2,
        iin=make_iin(1),
        code="A1",
        names=(("kk", f"Кардиолог {STRANGER}"), ("ru", STRANGER), ("en", LATIN)),
        room=STRANGER,
        provider="d-akhmetov",
        starts=desk.clock.moment().wall.replace(tzinfo=None),
    )
    with immediate(desk.db):
        desk.records.services.keep([line], desk.clock.moment().wall)
        desk.db.execute(
            "UPDATE delivery SET error_code = 'E-NET-01', error_text = ?, alarm = ?", (f"for {STRANGER}", LATIN)
        )
    settings = home.config.read_text()
    assert "Клиника" not in settings
    home.config.write_text(
        settings.replace('desk = "', f'desk = "{STRANGER} ')
        + f'\n[camera]\nstreams = ["rtsp://{LATIN}:{PASSWORD}@10.0.0.5/"]\n[pack]\nfolder = "/srv/{LATIN}"\n'
    )
    light = StepResult(SetupStep.LIGHT, Outcome.FAILED, Problem.TOO_DARK, (("good", 12), ("by", STRANGER)))
    keep(home, SetupProgress((light,)))
    vector = make_embedding(77).vector
    said = [
        f"2026-11-23T09:00:00.000Z ERROR   4711 appliance.station: not recorded: E-DB-02 {STRANGER}",
        f"2026-11-23T09:00:01.000Z INFO    4711 {LATIN}: iin {make_iin(500).digits} of {make_profile(1).given_name}",
        f"2026-11-23T09:00:02.000Z DEBUG   4711 sync.worker: {vector.tolist()} {vector.tobytes().hex()}",
        f"{base64.b64encode(vector.tobytes()).decode()} {home.template_key.read_bytes().hex()}",
        f"call +7 701 123 45 67, {make_profile(2).family_name}",
    ]
    for name in ("desk.log", "sync.log", "desk.log.1", f"{LATIN}.log"):
        (home.log / name).write_text("\n".join(said) + "\n")


def test_nothing_of_anybody_leaves(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """Planted in every source: not in any file of the archive, nor in its headers, however it is written."""
    plant(home, desk)
    system = FakeSystem(tmp_path / "system")
    system.usb(0, label=f"{LATIN}'s phone", serial=make_iin(500).digits)
    members = list(collect(home, tmp_path / LATIN, clock, system.tree))
    packed = archive(members, clock.moment().wall.timestamp())
    files = unpacked(packed)
    assert set(files) == EVERYTHING
    everything = packed + gzip.decompress(packed) + "".join(files).encode()
    found = [secret for secret in secrets_of(home) if secret in everything]
    assert found == [], f"{len(found)} secrets are in the archive"


def test_what_helps_is_there(home: Home, desk: WorkingDesk, clock: ManualClock, pack_path: Path) -> None:
    """Codes and checks, versions, counts, state of delivery, settings, seconds, and the program's own words."""
    plant(home, desk)
    members = list(collect(home, pack_path.parent, clock))
    log = next(m.content for m in members if m.name == "logs/desk.log").decode()
    assert log.splitlines()[0].startswith("2026-11-23T09:00:00.000Z ERROR   appliance.station: not recorded: E-DB-02 ")
    counts = document(members, "counts.json")
    assert counts["people"] == {
        "patients": {"enrolled": 1, "erased": 0, "templates": 3},
        "staff": {"enrolled": 1, "erased": 0, "templates": 2},
    }
    assert (counts["events"], counts["services_today"]) == ({"enrolled": 1, "staff_enrolled": 1}, 1)
    delivery = document(members, "delivery.json")
    assert (delivery["pending"], str(delivery["last_error"])[:8]) == (2, "E-NET-01")
    settings = document(members, "configuration.json")
    assert settings["desk"] == {
        "device": "desk-1",
        "fund_url": "https://127.0.0.1:1",
        "key_class": "file",
        "streams": 1,
    }
    assert "'onnxruntime': '1." in str(document(members, "bundle.json")["packages"])
    assert b"too_dark" in next(m.content for m in members if m.name == "setup.json")
    doctor = json.loads(next(m.content for m in members if m.name == "doctor.json"))
    assert {line["check"] for line in doctor} == set(document(members, "timings.json"))
    assert {"disk", "ledger", "delivery", "model pack"} <= {line["check"] for line in doctor}


def test_a_desk_that_does_not_open_is_told_all_the_same(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """Just then it is needed: with the doctor's reason and the logs."""
    (home.log / "desk.log").write_text(f"Traceback: {STRANGER}\n")
    home.database_key.write_bytes(bytes(32))
    members = list(collect(home, tmp_path, clock))
    assert {m.name for m in members} >= {"bundle.json", "doctor.json", "logs/desk.log"}
    doctor = json.loads(next(m.content for m in members if m.name == "doctor.json"))
    assert "E-DB-01" in str(doctor)
    assert STRANGER.partition(" ")[0].encode() not in b"".join(m.content for m in members)


def test_a_value_in_a_complaint_about_the_settings_goes(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """The message quotes what was typed, which may be a password that is a word of the program."""
    home.config.write_text(home.config.read_text() + '\n[camera]\nstreams = "rtsp://camera:template@frame/"\n')
    doctor = next(m.content for m in collect(home, tmp_path, clock) if m.name == "doctor.json")
    assert b"E-CFG-01 camera.streams must be a list" in doctor
    assert b"template@" not in doctor
    assert b"rtsp" not in doctor


def test_of_a_long_log_the_end_is_kept(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """A bundle can be sent by mail whatever was logged."""
    bound = LOG_BYTES + 5
    (home.log / "desk.log").write_bytes((b"the first line\n" * (bound // 15 + 1))[: bound - 14] + b"\nthe last one\n")
    kept = next(m.content for m in collect(home, tmp_path, clock) if m.name == "logs/desk.log")
    assert LOG_BYTES - 15 <= len(kept) <= LOG_BYTES
    assert kept.endswith(b"\nthe last one\n")


def test_headers_name_nobody() -> None:
    """Owner, group, host, path: of none; and the same content gives the same bytes."""
    packed = archive([Member("a.txt", b"a")], 1e9)
    assert packed == archive([Member("a.txt", b"a")], 1e9)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        (header,) = tar.getmembers()
    assert (header.uid, header.gid, header.uname, header.gname, header.mode) == (0, 0, "", "", 0o600)
    assert packed[3] & 0x08 == 0, "gzip's header holds a file name"
