"""Somebody else's program, written from PROTOCOL.md alone, reads our events and receipts: plain Node, no library."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sync.compact import digest_of
from sync.protocol import encode_batch
from sync.signing import PublicJwk
from sync.strict_json import Json, Members
from tests.fakes.sync_desk import SyncDesk

SCRIPT = Path(__file__).with_name("node_verify.mjs")
DATA: dict[str, Json] = {
    "service": "Терапевт қабылдауы",
    "ескерту": "Ә Ғ Қ Ң Ө Ұ Ү Һ І — 10:30 ✓ 🙂",
    "count": 9007199254740991,
}


def node(device: PublicJwk, fund: PublicJwk, event: str, receipt: str) -> subprocess.CompletedProcess[str]:
    """What the foreign program says."""
    program = shutil.which("node")
    assert program is not None, "nodejs is part of the set-up of the tests"
    told = {"device": device.as_dict(), "fund": fund.as_dict(), "event": event, "receipt": receipt}
    return subprocess.run(
        [program, str(SCRIPT)], input=json.dumps(told), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def proof(desk: SyncDesk) -> tuple[PublicJwk, PublicJwk, str, str]:
    """Keys of device and fund, an event with Kazakh text, and its receipt."""
    token = desk.append(data=DATA).token
    receipt = Members.parse(desk.fund.post_events(encode_batch([token]))).text("receipt")
    return desk.signer.public_jwk, desk.fund.signer.public_jwk, token, receipt


def test_plain_node_verifies_an_event_and_its_receipt(proof: tuple[PublicJwk, PublicJwk, str, str]) -> None:
    """Every character arrives, the digest is ours, and the receipt is for this event."""
    done = node(*proof)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"digest": digest_of(proof[2]), "data": DATA, "result": "accepted"}


@pytest.mark.parametrize("part", range(3), ids=("header", "payload", "signature"))
@pytest.mark.parametrize("which", ["event", "receipt"])
def test_plain_node_refuses_an_altered_byte(
    proof: tuple[PublicJwk, PublicJwk, str, str], which: str, part: int
) -> None:
    """In the middle of any part of either."""
    device, fund, event, receipt = proof
    if which == "event":
        event = altered(event, part)
    else:
        receipt = altered(receipt, part)
    assert node(device, fund, event, receipt).returncode == 1


def altered(token: str, part: int) -> str:
    """With another character in the middle of a part."""
    parts = token.split(".")
    text, middle = parts[part], len(parts[part]) // 2
    parts[part] = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
    return ".".join(parts)


def test_plain_node_refuses_other_keys_and_kinds(proof: tuple[PublicJwk, PublicJwk, str, str]) -> None:
    """Keys exchanged; a receipt in place of an event."""
    device, fund, event, receipt = proof
    assert node(fund, device, event, receipt).returncode == 1
    assert node(device, fund, receipt, receipt).returncode == 1
