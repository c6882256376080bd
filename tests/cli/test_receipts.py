"""`keldim receipt verify`: a code's text, its picture and a proof are judged with public keys alone."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import segno

from appliance.core.errors import ReceiptUnproven
from appliance.opencv import cv2
from sync.clock import SystemClock
from sync.envelope import parse_event
from sync.errors import SettingsInvalid
from sync.fund.home import FundHome
from sync.home import Home
from sync.log_checkpoint import Checkpoint, LogPolicy, OfflineProof, event_leaf
from sync.merkle import inclusion_proof, tree_of_leaves
from sync.note import KeyKind, Note, NoteSigner
from sync.receipt_text import write_receipt
from sync.signing import FileSigner
from sync.strict_json import dump
from tests.cli.terminal import Outcome, keldim
from tests.fakes.documents import join_desk, make_fund_home
from tests.fakes.receipts import SERVICE_CODE, Visits

DEVICE = "desk-1"
LOG = NoteSigner("fund.example/visits", KeyKind.LOG, b"l" * 32)
NOW = SystemClock().moment().wall


@dataclass(frozen=True)
class Desk:
    """A certified desk, and what its fund published."""

    home: Home
    fund: FundHome
    visits: Visits

    def text(self) -> str:
        """What the code of a visit by face holds."""
        return write_receipt(self.visits.checked_in(NOW))

    def verify(self, source: object, *more: object, piped: str = "") -> Outcome:
        """With the desk's certificate and its authority."""
        keys = ("--certificate", self.home.certificate, "--device-ca", self.home.device_ca)
        return keldim("receipt", "verify", source, *keys, *more, piped=piped)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Not to be changed."""
    root = tmp_path_factory.mktemp("receipts")
    fund, home = make_fund_home(root), Home(root / "desk")
    join_desk(home, fund.root, DEVICE)
    return Desk(home, fund, Visits(FileSigner.load(home.device_key), DEVICE))


def draw(path: Path, text: str) -> Path:
    """The picture of a code, five pixels a module."""
    modules = np.array([bytearray(row) for row in segno.make(text, error="l", micro=False).matrix], np.uint8)
    pixels = np.kron(np.pad(1 - modules, 4, constant_values=1) * 255, np.ones((5, 5))).astype(np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def prove(token: str) -> OfflineProof:
    """The proof that an event is number 3 of a log of five."""
    leaves = [event_leaf(f"{n:064x}") for n in range(5)]
    leaves[3] = event_leaf(parse_event(token).digest)
    tree = tree_of_leaves(leaves)
    text = Checkpoint(LOG.public.name, 5, tree(0, 5)).text
    return OfflineProof(token, 3, inclusion_proof(tree, 3, 5), Note(text, (LOG.sign(text),)).serialise())


def test_a_code_proves_who_confirmed_what_and_when(desk: Desk) -> None:
    """For machines and for people; that the fund has it is not said, because nothing shows it."""
    text = desk.text()
    told = desk.verify(text, "--json")
    assert (told.code, told.err) == (0, "")
    document = told.json
    assert (document["device"], document["clinic"], document["desk"]) == (DEVICE, "Clinic", "Desk")
    assert (document["kind"], document["visit"], document["service_code"]) == ("checked_in", True, SERVICE_CODE)
    assert (document["signature"], document["log"], document["key_class"]) == ("verified", "pending", "file")
    said = desk.verify(text).out
    assert f"confirmed visit (checked_in): service {SERVICE_CODE}" in said
    assert "fund's log: pending" in said


def test_a_code_is_taken_from_wherever_it_is(desk: Desk, tmp_path: Path) -> None:
    """The text, a file with it, a picture of it, standard input: the same answer."""
    text = desk.text()
    file = tmp_path / "code.txt"
    file.write_text(f"{text[:90]}\n{text[90:]}\n")
    answers = [desk.verify(source).out for source in (text, file, draw(tmp_path / "code.png", text))]
    answers.append(desk.verify("-", piped=f"{text}\n").out)
    assert "confirmed visit" in answers[0]
    assert len(set(answers)) == 1


def test_a_code_of_another_key_is_not_proven(desk: Desk, tmp_path: Path) -> None:
    """Signed by a key that is not the certified one, though it names the same device."""
    forger = FileSigner.create(tmp_path / "other.pem")
    desk.verify(write_receipt(Visits(forger, DEVICE).checked_in(NOW))).failed_with(ReceiptUnproven)


def test_a_certificate_stands_for_its_device_and_time(desk: Desk) -> None:
    """Not for an event that names another device, nor for one from before it was issued."""
    other = replace(desk.visits, device="desk-2").checked_in(NOW)
    early = desk.visits.checked_in(NOW - timedelta(days=9))
    for token in (other, early):
        desk.verify(write_receipt(token)).failed_with(ReceiptUnproven)


def test_a_refusal_is_no_visit(desk: Desk) -> None:
    """Genuine, said so, and exit code 4: it is not what a receipt is shown for."""
    told = desk.verify(write_receipt(desk.visits.refused(NOW)))
    assert told.code == 4
    assert told.out.startswith("NO CONFIRMED VISIT (refused)")


def test_with_its_proof_a_visit_is_in_the_log(desk: Desk, tmp_path: Path) -> None:
    """The code beside the proof, or the proof alone, which holds the event; a proof of another event proves nothing."""
    token = desk.visits.checked_in(NOW)
    text, proof, other = write_receipt(token), tmp_path / "a.tlog-proof", tmp_path / "b.tlog-proof"
    proof.write_text(prove(token).text)
    other.write_text(prove(desk.visits.without_face(NOW)).text)
    terms = tmp_path / "log.json"
    terms.write_bytes(_terms())
    for told in (
        desk.verify(text, "--proof", proof, "--terms", terms, "--json"),
        desk.verify(proof, "--log-key", LOG.public.vkey, "--json"),
    ):
        assert told.err == ""
        assert (told.json["log"], told.json["index"], told.json["size"]) == ("logged", 3, 5)
    assert "fund's log: number 3 of 5; witnesses: none" in desk.verify(proof, "--terms", terms).out
    unsigned = keldim("receipt", "verify", proof, "--terms", terms, "--json").json
    assert unsigned["signature"] == "not checked: no --device"
    desk.verify(text, "--proof", other, "--terms", terms).failed_with(ReceiptUnproven)


def test_a_picture_without_one_receipt_is_refused(desk: Desk, tmp_path: Path) -> None:
    """Another code, or none: nobody has to guess."""
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 200), 255, np.uint8))
    for picture in (blank, draw(tmp_path / "other.png", "https://example.org/1")):
        desk.verify(picture).failed_with(ReceiptUnproven)


def test_a_damaged_text_is_not_proven(desk: Desk) -> None:
    """Cut off."""
    desk.verify(desk.text()[:-9]).failed_with(ReceiptUnproven)


def test_keys_are_asked_for(desk: Desk, tmp_path: Path) -> None:
    """Wrong usage without any, with half of a pair, or with two; a file with something else is named."""
    text, lacking = desk.text(), tmp_path / "none"
    for arguments in (
        (text,),
        (text, "--certificate", desk.home.certificate),
        (text, "--device", lacking, "--certificate", desk.home.certificate, "--device-ca", desk.home.device_ca),
        (lacking, "--terms", lacking),
    ):
        assert keldim("receipt", "verify", *arguments).code == 2
    assert desk.verify(desk.home.certificate).code == 2
    keldim("receipt", "verify", text, "--device", desk.home.certificate).failed_with(SettingsInvalid)


def _terms() -> bytes:
    return dump(LogPolicy(LOG.public, 600, (), 0).members())
