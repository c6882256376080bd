"""The keys of a desk go to the fund sealed, and from there to one other desk, sealed again."""

import json
import secrets
from pathlib import Path

import pytest

from sync.compact import encode_part
from sync.home import Home
from sync.key_errors import RecoveryInvalid
from sync.key_source import NEXT, FileKeys, KeyName
from sync.keyfile import create_key
from sync.recovery import write_recovery
from sync.recovery_document import (
    DeskKeys,
    Handover,
    open_handover,
    open_recovery,
    seal_handover,
    seal_recovery,
)
from sync.sealing import SealedBox, seal
from sync.strict_json import JsonObject, dump

KEYS = DeskKeys("desk-1", (bytes(range(32)),), (bytes(range(32, 64)), bytes(range(64, 96))))
HANDOVER = Handover(KEYS, "desk-2", {"ab" * 32: 7, "cd" * 32: 12}, 40)


@pytest.fixture
def box(tmp_path: Path) -> SealedBox:
    """The fund's key, or the new desk's."""
    return SealedBox.create(tmp_path / "sealing.pem")


def test_a_copy_opens_at_the_fund(box: SealedBox) -> None:
    """Every key comes back, those of a rotation under way too; the document holds none of them in the clear."""
    document = seal_recovery(KEYS, box.public_jwk)
    assert open_recovery(document, box) == KEYS
    for key in (*KEYS.database, *KEYS.template):
        assert key not in document
        assert encode_part(key).encode() not in document
        assert key.hex().encode() not in document


def test_a_handover_opens_at_the_desk_it_is_for(box: SealedBox) -> None:
    """With who was erased and how far the fund is."""
    assert open_handover(seal_handover(HANDOVER, box.public_jwk), "desk-2", box) == HANDOVER


def test_another_desk_does_not_open_a_handover(box: SealedBox) -> None:
    """Neither by its own name nor with the name changed in the document: it is bound into the seal."""
    document = seal_handover(HANDOVER, box.public_jwk)
    with pytest.raises(RecoveryInvalid, match="another desk"):
        open_handover(document, "desk-3", box)
    for member, value in (("following", "desk-3"), ("device", "desk-9")):
        forged = dump(json.loads(document) | {member: value})
        with pytest.raises(RecoveryInvalid, match="does not open"):
            open_handover(forged, str(json.loads(forged)["following"]), box)


def test_one_kind_of_document_does_not_pass_for_the_other(box: SealedBox) -> None:
    """A recovery copy is no handover, also when it is given the member of one."""
    with pytest.raises(RecoveryInvalid, match="no recovery copy"):
        open_recovery(seal_handover(HANDOVER, box.public_jwk), box)
    document = seal_recovery(KEYS, box.public_jwk)
    with pytest.raises(RecoveryInvalid):
        open_handover(document, "desk-2", box)
    with pytest.raises(RecoveryInvalid, match="does not open"):
        open_handover(dump(json.loads(document) | {"following": "desk-2"}), "desk-2", box)


def test_an_altered_or_foreign_copy_is_refused(box: SealedBox, tmp_path: Path) -> None:
    """Another key, another version, a flipped character, no document at all."""
    document = seal_recovery(KEYS, box.public_jwk)
    with pytest.raises(RecoveryInvalid):
        open_recovery(document, SealedBox.create(tmp_path / "other.pem"))
    parts = json.loads(document)
    flipped = ("B" if parts["sealed"][100] != "B" else "C").join((parts["sealed"][:100], parts["sealed"][101:]))
    for bad in (dump(parts | {"v": 2}), dump(parts | {"sealed": flipped}), b"{}", b"\xff", document[:-9]):
        with pytest.raises(RecoveryInvalid):
            open_recovery(bad, box)
    with pytest.raises(RecoveryInvalid, match="longer"):
        open_recovery(bytes(17 * 1024 * 1024), box)


@pytest.mark.parametrize("content", [{"database": ["AA"], "template": ["AA"]}, {"database": [], "template": []}, {}])
def test_what_is_inside_is_checked_too(box: SealedBox, content: JsonObject) -> None:
    """The fund believes no lengths, whoever sealed to it."""
    sealed = seal(box.public_jwk, dump(content), b"keldim recovery of desk-1 v1")
    document = dump({"v": 1, "device": "desk-1", "sealed": encode_part(sealed)})
    with pytest.raises(RecoveryInvalid, match=r"32 bytes|malformed"):
        open_recovery(document, box)


def test_the_erased_of_a_handover_are_checked(box: SealedBox) -> None:
    """A line that is no pseudonym with a number."""
    members: JsonObject = {
        "database": [encode_part(bytes(32))],
        "template": [encode_part(bytes(32))],
        "erased": ["x"],
        "have": 1,
    }
    sealed = seal(box.public_jwk, dump(members), b"keldim handover of desk-1 to desk-2 v1")
    document = dump({"v": 1, "device": "desk-1", "following": "desk-2", "sealed": encode_part(sealed)})
    with pytest.raises(RecoveryInvalid, match="malformed"):
        open_handover(document, "desk-2", box)


def test_a_home_keeps_the_copy_of_all_its_keys(tmp_path: Path, box: SealedBox) -> None:
    """During a rotation both; without a key of the fund there is none, and that is told."""
    home = Home(tmp_path)
    home.keys.mkdir()
    home.config.write_text("")
    for name in (KeyName.DATABASE, KeyName.TEMPLATE):
        create_key(home.keys / name)
    keys, following = FileKeys(home), secrets.token_bytes(32)
    keys.stage(KeyName.TEMPLATE, following)
    assert (home.keys / f"template.key{NEXT}").exists()
    assert not write_recovery(home, "desk-1", keys, None)
    assert write_recovery(home, "desk-1", keys, box.public_jwk)
    opened = open_recovery(home.recovery.read_bytes(), box)
    assert opened.template == (keys.load(KeyName.TEMPLATE), following)
    assert opened.database == (keys.load(KeyName.DATABASE),)
