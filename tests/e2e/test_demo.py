"""The demonstration: a day of a clinic comes out as planned, is proven at the fund, and leaves no trace of who came."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.composition import open_desk
from appliance.core.errors import DemoFailed
from appliance.core.session import State
from appliance.core.types import PackDigest
from appliance.demo.cast import EVERYBODY, PATIENTS
from appliance.demo.plan import PLAN
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.texts import Language
from sync.clock import SystemClock
from sync.home import Home
from tests.cli.terminal import keldim
from tests.e2e.conftest import LONGEST_S, Played
from tests.fakes.films import film_of, write_film

pytestmark = pytest.mark.timeout(LONGEST_S)

SUMMARY = re.compile(r"fund: (\d+) events, chain verified, 0 missing")


def events(played: Played) -> int:
    """How many events the summary claims."""
    found = SUMMARY.fullmatch(played.summary)
    assert found is not None, played.summary
    return int(found[1])


def personal() -> Iterator[str]:
    """What may stand in no log: parts of names, numbers."""
    for who in EVERYBODY:
        yield from who.name.split()
        yield who.iin.digits
        yield who.iin.digits[-8:]


def test_the_day_comes_out_as_planned(played: Played) -> None:
    """Every act ends as written; the command says so by its exit code and its summary."""
    assert [row["wrong"] for row in played.rows] == [[]] * len(PLAN), played.err
    assert played.code == 0, played.err
    assert events(played) >= len(PATIENTS) + 10
    assert "Traceback" not in played.err


def test_the_table_names_every_act_with_its_verdict(played: Played) -> None:
    """Who, state, kind of event, reasons, liveness, score over threshold, time."""
    assert [(row["visit"], row["who"]) for row in played.rows] == [(act.title, act.who) for act in PLAN]
    assert [row["state"] for row in played.rows] == [act.outcome.state.value for act in PLAN]
    assert [row["kind"] for row in played.rows] == [act.outcome.kind for act in PLAN]
    for row in played.rows:
        assert float(str(row["seconds"])) > 0
        if row["kind"] == "checked_in":
            assert row["liveness"] == "live"
            assert row["reasons"] == ["match", "live"]
            assert float(str(row["score"])) >= float(str(row["threshold"]))


def test_every_state_has_its_picture_in_three_languages(played: Played) -> None:
    """Those the day came to as it went, the others from samples."""
    names = {path.stem for path in (played.folder.parent / "pictures").glob("*_kk.png")}
    assert {f"{state}_kk" for state in (State.CHOOSE, State.FALLBACK, State.GUARDIAN)} <= names, "played, not painted"
    found = {path.stem.rpartition("_") for path in (played.folder.parent / "pictures").glob("*.png")}
    for language in Language:
        assert {name.split(".")[0] for name, _, spoken in found if spoken == language} == set(State)


def test_the_code_on_the_screen_proves_the_visit(played: Played) -> None:
    """From the picture of a receipt, with public keys alone; another picture proves nothing."""
    pictures, fund = played.folder.parent / "pictures", played.folder / "desk" / "fund"
    keys = ("--certificate", fund / "device.pem", "--device-ca", fund / "device-ca.pem")
    proven = keldim("receipt", "verify", pictures / "receipt_kk.png", *keys)
    assert (proven.code, "device signature: verified" in proven.out) == (0, True)
    assert keldim("receipt", "verify", pictures / "idle_kk.png", *keys).code == 4


def test_the_printed_photo_is_never_live(played: Played) -> None:
    """Moved and tilted as it was."""
    (row,) = [row for row in played.rows if row["visit"] == "printed photo of a patient"]
    assert row["liveness"] in ("spoof", "inconclusive")
    assert row["kind"] == "refused"


def test_visits_wait_while_the_network_is_down(played: Played) -> None:
    """Three of them, and all reach the fund afterwards."""
    assert "3 waiting" in played.err


def test_desk_and_fund_agree(played: Played) -> None:
    """Both prove their chains again, by their own commands; every event has the fund's receipt."""
    count = events(played)
    ledger = keldim("--home", played.folder / "desk", "ledger", "verify", "--json")
    assert (ledger.code, ledger.json["events"]) == (0, count)
    assert int(str(ledger.json["receipts"])) >= 1  # one proves a batch; that none is bare is `settled` below
    fund = keldim("fund", "audit", "--dir", played.folder / "fund", "--json")
    assert (fund.code, fund.json["events"], fund.json["missing"], fund.json["forks"]) == (0, count, 0, 0)
    status = keldim("--home", played.folder / "desk", "sync", "status", "--json")
    assert (status.code, status.json["pending"], status.json["settled"]) == (0, 0, count)
    log, proven = fund.json["log"], status.json["log"]
    assert isinstance(log, dict)
    assert isinstance(proven, dict)
    assert (log["size"], log["cosigned"], log["cosigned_size"], log["waiting"]) == (count, 1, count, 0)
    assert (proven["proven"], proven["alarm"]) == (count, None)


def test_the_fund_knows_pseudonyms_only(played: Played) -> None:
    """What the fund can show names nobody, and nothing of a face."""
    shown = keldim("fund", "events", "--dir", played.folder / "fund", "--json")
    assert shown.code == 0
    assert [row["seq"] for row in shown.rows] == list(range(1, events(played) + 1))
    assert not [word for word in personal() if word in shown.out]
    assert not find_faces(played, shown.out)


def test_every_process_wrote_its_log(played: Played) -> None:
    """Desk at DEBUG, delivery and gateway; otherwise the search below would find nothing by finding nothing."""
    assert {"desk/log/desk.log", "desk/log/sync.log", "gateway.log"} <= set(played.logs)
    assert played.logs["desk/log/desk.log"].count(" DEBUG ") > 50
    assert "settled" in played.logs["desk/log/sync.log"]
    assert "gateway answers" in played.logs["gateway.log"]


def test_no_log_names_a_patient(played: Played) -> None:
    """Neither parts of names nor numbers, in any process's log."""
    for name, text in played.logs.items():
        assert not [word for word in personal() if word in text], name


def test_no_log_holds_a_face(played: Played) -> None:
    """Neither numbers, nor hex, nor base64 of any enrolled template, nor anything that looks like a vector."""
    for name, text in played.logs.items():
        assert not find_faces(played, text), name
        assert not re.search(r"(?:-?\d\.\d{3,}[\s,;]+){6,}", text), name
        assert not re.search(r"[A-Za-z0-9+/_-]{180,}", text), name


def test_no_file_holds_a_name_or_number_in_the_clear(played: Played) -> None:
    """Databases of desk and fund, their logs and settings: searched as bytes."""
    words = [word.encode() for word in personal() if len(word) > 4]
    for path in (path for path in played.folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not [word.decode() for word in words if word in content], path.name


def test_no_log_holds_a_stack_trace(played: Played) -> None:
    """Also not while the network was down."""
    for name, text in played.logs.items():
        assert "Traceback" not in text, name
        assert " CRITICAL " not in text, name


def find_faces(played: Played, text: str) -> list[str]:
    """Which forms of any enrolled template stand in a text."""
    return [form for form in template_forms(played.folder) if form in text]


def template_forms(folder: Path) -> Iterator[str]:
    """Every enrolled template as somebody might write it by mistake."""
    with open_desk(Home(folder / "desk"), SystemClock()) as desk:
        packs = {pack for held in desk.records.templates.held().values() for pack in held}
        loaded = [
            vector for pack in packs for _, many in desk.records.templates.load(PackDigest(pack)) for vector in many
        ]
    assert len(loaded) >= 2 * len(PATIENTS)
    for embedding in loaded:
        vector = embedding.vector.astype(np.float32)
        raw = vector.tobytes()
        yield raw.hex()[:24]
        yield base64.b64encode(raw).decode()[:20]
        yield base64.urlsafe_b64encode(raw).decode()[:20]
        yield from (f"{abs(float(value)):.6f}" for value in vector[:16])


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path, pack_path: Path) -> None:
    """The demonstration empties only what it made."""
    (tmp_path / "letter.txt").write_text("mine")
    told = keldim("--packs", pack_path.parent, "demo", "--dir", tmp_path)
    told.failed_with(DemoFailed)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_one_person_from_a_film(tmp_path: Path, pack_path: Path) -> None:
    """Enrolled from its first seconds; a film cannot answer a random turn, so its visit is no receipt."""
    film = tmp_path / "person.avi"
    write_film(film, film_of(PATIENTS[-1].picture, FacePipeline(open_pack(pack_path)), 9.0))
    shown = keldim("--packs", pack_path.parent, "demo", "--dir", tmp_path / "day", "--video", film, "--seconds", "4")
    assert shown.code == 0, shown.err
    lines = shown.out.strip().splitlines()
    assert any(SUMMARY.fullmatch(line) for line in lines)
    assert "visit: receipt" not in shown.out
    log = (tmp_path / "day" / "desk" / "log" / "desk.log").read_text()
    assert not [word for word in personal() if word in log]
