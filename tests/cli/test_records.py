"""Ledger, delivery, fund, packs and doctor as commands: what they print, and how they end."""

import json
from pathlib import Path

from sync.envelope import parse_event
from sync.errors import TransportFailure
from sync.home import Home
from sync.worker import single_flight
from tests.cli.conftest import ELLEN
from tests.cli.terminal import Clinic, keldim


def test_the_ledger_is_verified(pristine: Clinic) -> None:
    """For people and for machines."""
    told = pristine("ledger", "verify")
    assert (told.code, told.err) == (0, "")
    assert told.out == "ledger: 1 events, chain verified, 0 receipts verified\njournal: 1 events verified\n"
    document = pristine("ledger", "verify", "--json").json
    assert (document["events"], document["receipts"], document["verified"]) == (1, 0, True)


def test_a_database_is_built_anew_from_the_journal(clinic: Clinic) -> None:
    """Events and people are there again, the old file is kept; a lost one leaves the events, and that is said."""
    told = clinic("ledger", "recover", "--json")
    assert told.err == ""
    done = told.json
    assert (done["events"], done["from_database"], done["lost"]) == (1, 0, [])
    assert clinic("ledger", "verify").code == 0
    assert "template" in str(done["carried"])
    home = Home(clinic.home)
    assert len(list(home.root.glob("desk.db.broken-*"))) >= 1
    for path in home.root.glob("desk.db*"):
        path.unlink()
    again = clinic("ledger", "recover", "--json").json
    assert (again["events"], again["aside"]) == (1, None)
    assert "template" in str(again["lost"])


def test_the_ledger_is_shown(pristine: Clinic) -> None:
    """A table of the last events; one of them whole, by number or id."""
    table = pristine("ledger", "show")
    assert (table.code, table.err) == (0, "")
    assert "enrolled" in table.out
    (row,) = pristine("ledger", "show", "--json").rows
    assert pristine("ledger", "show", "1").rows == [row] == pristine("ledger", "show", row["id"]).rows
    assert pristine("ledger", "show", "77").code == 2
    text = json.dumps(row, ensure_ascii=False)
    assert not any(part in text for part in ("Ellen", "Carter", ELLEN.iin.digits))


def test_the_ledger_is_exported(pristine: Clinic, tmp_path: Path) -> None:
    """One line an event, the same on the terminal and in a file; a file is never overwritten."""
    told = pristine("ledger", "export")
    assert told.code == 0
    (line,) = [json.loads(text) for text in told.out.splitlines()]
    assert parse_event(line["token"]).event.kind == "enrolled"
    path = tmp_path / "export.jsonl"
    assert pristine("ledger", "export", "--to", path).json == {"events": 1, "file": str(path)}
    assert path.read_text() == told.out
    again = pristine("ledger", "export", "--to", path)
    assert again.code == 2
    assert path.read_text() == told.out


def test_delivery_while_the_fund_is_down(clinic: Clinic) -> None:
    """Nothing is lost, the message says what to do, and the status remembers it."""
    told = clinic("sync", "now")
    assert told.code == 3
    assert TransportFailure.code in told.err
    assert TransportFailure.remedy in told.err
    assert "Traceback" not in told.err
    document = clinic("sync", "now", "--json").json
    assert (document["settled"], document["failure"]) == (0, TransportFailure.code)
    status = clinic("sync", "status", "--json")
    assert status.code == 0
    assert (status.json["pending"], status.json["settled"], status.json["parked"]) == (1, 0, [])
    assert TransportFailure.code in str(status.json["last_error"])
    assert status.json["last_contact"] is None
    shown = clinic("sync", "status")
    assert "1 waiting" in shown.out
    assert "last contact: never" in shown.out


def test_one_delivery_at_a_time(clinic: Clinic) -> None:
    """While the service runs, `sync now` says so; the answer is no."""
    with single_flight(Home(clinic.home).sync_lock):
        told = clinic("sync", "now")
    assert (told.code, told.out) == (4, "")
    assert "E-SYNC-01" in told.err


def test_the_fund_shows_what_it_holds(clinic: Clinic) -> None:
    """An empty fund with one desk; blocking it and letting it in again."""
    where = ("--dir", clinic.fund)
    audited = keldim("fund", "audit", *where)
    assert audited.out == "fund: 0 events, chain verified, 0 missing\nlog: 0 events, no checkpoint yet\n"
    assert keldim("fund", "audit", *where, "--json").json["verified"] is True
    assert keldim("fund", "events", *where, "--json").rows == []
    assert keldim("fund", "events", *where).code == 0
    (device,) = keldim("fund", "devices", *where, "--json").rows
    assert (device["device"], device["head"], device["blocked"]) == ("desk-7", 0, None)
    assert keldim("fund", "block", *where, "desk-7", "--reason", "stolen").code == 0
    assert keldim("fund", "devices", *where, "--json").rows[0]["blocked"] == "stolen"
    assert "stolen" in keldim("fund", "devices", *where).out
    assert keldim("fund", "unblock", *where, "desk-7").code == 0
    assert keldim("fund", "devices", *where, "--json").rows[0]["blocked"] is None
    request, answer = clinic.root / "request.jws", clinic.root / "again.jws"
    assert keldim("fund", "admit", *where, request, "--key-class", "file", "--out", answer).code == 0
    assert answer.read_bytes() == (clinic.root / "answer.jws").read_bytes()


def test_packs_are_listed_shown_and_verified(pristine: Clinic) -> None:
    """The builtin pack is whole, and its card can be read."""
    rows = pristine("models", "list", "--json").rows
    (builtin,) = [row for row in rows if row["name"] == "builtin"]
    assert builtin["fault"] is None
    verified = pristine("models", "verify", "--json")
    said = {"name": "builtin", "digest": builtin["digest"], "verified": True, "calibrated": True}
    assert (verified.code, verified.json) == (0, said)
    assert "self-test passed" in pristine("models", "verify").out
    card = pristine("models", "show")
    assert (card.code, card.err) == (0, "")
    assert len(card.out) > 500
    assert pristine("models", "build", "nothing").code == 3


def test_the_doctor_finds_a_desk_well(pristine: Clinic) -> None:
    """Every line of the report, for machines and for people; warnings do not fail it."""
    told = pristine("doctor", "--json")
    assert (told.code, told.err) == (0, "")
    health = {row["check"]: row["health"] for row in told.rows}
    assert health["model pack"] == health["ledger"] == health["records"] == health["configuration"] == "ok"
    assert all(row["remedy"] for row in told.rows if row["health"] != "ok")
    shown = pristine("doctor")
    assert shown.code == 0
    assert all(str(check) in shown.out for check in health)


def test_the_doctor_finds_a_missing_desk(tmp_path: Path) -> None:
    """Where nothing is, that is said, and nothing is made."""
    told = keldim("--home", tmp_path / "none", "--packs", tmp_path, "doctor", "--json")
    assert told.code == 4
    assert {row["check"]: row["health"] for row in told.rows}["configuration"] == "failed"
    assert not (tmp_path / "none").exists()


def test_cameras_are_listed_before_a_desk_is_made(tmp_path: Path) -> None:
    """IT writes the allow-list from it; this machine may have cameras or none."""
    listed = keldim("--home", tmp_path / "none", "cameras", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert all({"node", "vendor", "product", "driver", "link", "allowed", "line"} <= row.keys() for row in listed.rows)
    shown = keldim("--home", tmp_path / "none", "cameras")
    assert "[camera] allow" in shown.out, "a heading is text, not markup"
    assert (shown.code, shown.err) == (0, "")
    assert "line for" in shown.out
