"""Commands about receipts: what a receipt proves, to anybody who has nothing but public keys.

A receipt is the text or the picture of a visit's code, or the proof that `keldim sync receipt` wrote. Formats and
checks are left to `sync`; this is where they are put together and told.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from appliance.barcodes import CodeKind, read_codes
from appliance.capture.picture import read_image
from appliance.cli.output import EXIT_NO, dump, say
from appliance.cli.place import Json
from appliance.cli.public_keys import MAX_FILE, read_device, read_log, read_small
from appliance.core.errors import ReceiptUnproven
from appliance.core.events import CheckedIn, ConfirmedWithoutFace
from appliance.core.reception_events import ConfirmedManually
from sync.certificates import DeviceCertificate
from sync.envelope import SignedEvent, format_time, parse_event
from sync.errors import EnvelopeInvalid, LogUntrue
from sync.log_checkpoint import (
    LogPolicy,
    OfflineProof,
    SignedCheckpoint,
    check_inclusion,
    parse_offline,
    read_checkpoint,
)
from sync.receipt_text import PREFIX, read_receipt
from sync.signing import PublicJwk, verify_event
from sync.strict_json import Json as JsonValue

app = typer.Typer(help="Receipts: what a code or a proof shows, offline.", no_args_is_help=True)

VISITS = {kind.KIND for kind in (CheckedIn, ConfirmedWithoutFace, ConfirmedManually)}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


@dataclass(frozen=True, slots=True)
class _Keys:
    """Whom to believe. jwk: of the device, None where nobody asked. policy: of the fund's log."""

    jwk: PublicJwk | None
    certificate: DeviceCertificate | None
    policy: LogPolicy | None


@dataclass(frozen=True, slots=True)
class _Logged:
    proof: OfflineProof
    signed: SignedCheckpoint


@app.callback()
def _receipt() -> None:
    """Receipts: what a code or a proof shows, offline."""


@app.command("verify")
def verify_receipt(
    source: Annotated[
        str,
        typer.Argument(help="Text of a receipt's code, a file with it, a picture of it, a .tlog-proof; - for stdin."),
    ],
    certificate: Annotated[Path | None, typer.Option(help="Device certificate (a desk's fund/device.pem).")] = None,
    device_ca: Annotated[Path | None, typer.Option(help="The fund's device authority (fund/device-ca.pem).")] = None,
    device_key: Annotated[Path | None, typer.Option("--device", help="Instead of both: JWK of the device.")] = None,
    terms: Annotated[Path | None, typer.Option("--terms", help="log.json of the fund: its log and witnesses.")] = None,
    log_key: Annotated[str | None, typer.Option(help="Instead of --terms: verifier key of the log.")] = None,
    witness_key: Annotated[list[str] | None, typer.Option("--witness", help="With --log-key: of a witness.")] = None,
    proof: Annotated[Path | None, typer.Option(help="For a code: the .tlog-proof of its event.")] = None,
    as_json: Json = False,
) -> None:
    """Check a receipt with public keys only, without any network. Exit code 4: not proven.

    A code proves what the desk signed; that the fund has it is proven by a .tlog-proof, which comes with delivery.
    """
    text = _text(source)
    keys = _Keys(*read_device(certificate, device_ca, device_key), read_log(terms, log_key, witness_key or []))
    coded = text.startswith(PREFIX)
    if coded and keys.jwk is None:
        raise typer.BadParameter("a code needs --certificate and --device-ca, or --device", param_hint="--certificate")
    if keys.policy is None and (proof is not None or not coded):
        raise typer.BadParameter("a proof needs one of --terms and --log-key", param_hint="--terms")
    try:
        event, logged = _judged(text, None if proof is None else read_small(proof), keys)
    except (EnvelopeInvalid, LogUntrue) as error:
        raise ReceiptUnproven(str(error)) from error
    told = _told(event, logged, keys)
    if as_json:
        dump(told)
    else:
        _say(told)
    if coded and not told["visit"]:
        raise typer.Exit(EXIT_NO)


def _judged(text: str, proof: str | None, keys: _Keys) -> tuple[SignedEvent, _Logged | None]:
    """The event, and where the log has it. Raises EnvelopeInvalid, SignatureInvalid, LogUntrue, ReceiptUnproven."""
    shown = proof
    if text.startswith(PREFIX):
        token = read_receipt(text).token
    else:
        shown = text
        token = parse_offline(text).token
    event = parse_event(token) if keys.jwk is None else verify_event(keys.jwk, token)
    _certified(event, keys.certificate)
    if shown is None or keys.policy is None:
        return event, None
    offline = parse_offline(shown)
    signed = read_checkpoint(offline.note, keys.policy)
    check_inclusion(offline, event.digest, signed)
    return event, _Logged(offline, signed)


def _certified(event: SignedEvent, certificate: DeviceCertificate | None) -> None:
    """The certificate was the device's own when it signed. Raises ReceiptUnproven."""
    if certificate is None:
        return
    if certificate.facts.device != event.event.device:
        raise ReceiptUnproven("the certificate is of another device than the event names")
    if not certificate.begins <= event.event.moment.wall <= certificate.ends:
        raise ReceiptUnproven("the device's certificate was not in force at the time of the event")


def _told(event: SignedEvent, logged: _Logged | None, keys: _Keys) -> dict[str, JsonValue]:
    said, code = event.event, event.event.data.get("service_code")
    told: dict[str, JsonValue] = {
        "device": said.device,
        "seq": said.seq,
        "id": said.event_id,
        "kind": said.kind,
        "visit": said.kind in VISITS,
        "wall": format_time(said.moment.wall),
        "clock": said.moment.trust.value,
        "service_code": code if isinstance(code, str) else None,
        "log": "pending" if logged is None else "logged",
        "signature": "not checked: no --device" if keys.jwk is None else "verified",
        "verified": True,
    }
    if keys.certificate is not None:
        facts = keys.certificate.facts
        told |= {"clinic": facts.clinic, "desk": facts.desk, "key_class": facts.key_class, "attested": facts.attested}
    if logged is not None:
        witnesses: list[JsonValue] = [name for name, _ in logged.signed.cosigned]
        told |= {"index": logged.proof.index, "size": logged.signed.checkpoint.size, "witnesses": witnesses}
    return told


def _say(told: dict[str, JsonValue]) -> None:
    what = f"service {told['service_code']}" if told["service_code"] else "no service"
    say(f"{'confirmed visit' if told['visit'] else 'NO CONFIRMED VISIT'} ({told['kind']}): {what}")
    say(f"event {told['seq']} of {told['device']}, {told['wall']} (clock: {told['clock']}), id {told['id']}")
    if "clinic" in told:
        say(f"certified: {told['clinic']}, {told['desk']}; key {told['key_class']}, {told['attested']}")
    say(f"device signature: {told['signature']}")
    if told["log"] == "pending":
        say("fund's log: pending, nothing shown here proves that the fund has it")
        return
    witnesses = told["witnesses"]
    names = ", ".join(map(str, witnesses)) if isinstance(witnesses, list) and witnesses else "none"
    say(f"fund's log: number {told['index']} of {told['size']}; witnesses: {names}")


def _text(source: str) -> str:
    """What is to be checked, wherever it is. Raises ImageUnreadable, ReceiptUnproven: no code in the picture."""
    if source.startswith(PREFIX):
        return source
    if source == "-":
        return sys.stdin.read(MAX_FILE).strip()
    path = Path(source)
    try:
        with path.open("rb") as file:
            picture = file.read(4).startswith(_PICTURES)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error
    return _photographed(path) if picture else read_small(path).lstrip()


def _photographed(path: Path) -> str:
    texts = [text for text in read_codes(read_image(path), frozenset({CodeKind.QR})) if text.startswith(PREFIX)]
    if len(texts) != 1:
        raise ReceiptUnproven(f"{path.name} shows {len(texts)} receipts that can be read, not one")
    return texts[0]
