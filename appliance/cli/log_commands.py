"""Commands about the fund's transparency log: fund audit, witness, compare; receipt verify."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.cli.output import ERR, EXIT_NO, dump, say
from appliance.cli.place import Folder, Json
from sync.envelope import format_time, parse_event
from sync.errors import EnvelopeInvalid, SettingsInvalid
from sync.fund.audit import FundReport, verify_fund
from sync.fund.home import FundHome
from sync.fund.log_audit import LogReader, root_at
from sync.fund.office import add_witness
from sync.fund.stores import log_store
from sync.log_checkpoint import LogPolicy, check_inclusion, parse_offline, read_checkpoint
from sync.log_compare import compare as compare_checkpoints
from sync.note import KeyKind, NoteKey
from sync.signing import PublicJwk, verify_event
from sync.strict_json import Members

fund_app = typer.Typer(no_args_is_help=True)
receipt_app = typer.Typer(help="Receipts that show an event in the fund's log.", no_args_is_help=True)

MAX_FILE = 256 * 1024
Terms = Annotated[
    Path, typer.Option("--terms", help="log.json of the fund (or a desk's fund/log.json): whom to believe.")
]


@receipt_app.callback()
def _receipt() -> None:
    """Receipts that show an event in the fund's log."""


@fund_app.command()
def audit(folder: Folder, as_json: Json = False) -> None:
    """Recompute everything from the stored events: chains, signatures, log, checkpoints, cosignatures.

    Names every row that was dropped, altered or inserted. Exit code 1 when there is one.
    """
    columns = (TextColumn("checking"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("", total=1)
        report = verify_fund(folder, lambda done, total: progress.update(task, completed=done, total=max(total, 1)))
    if as_json:
        dump(_document(report))
    else:
        for problem in report.problems:
            say(f"{problem.device} {problem.seq if problem.seq is not None else ''}: {problem.text}")
        say(report.summary)
        say(report.log.summary)
    if not report.intact:
        raise typer.Exit(EXIT_NO)


def _document(report: FundReport) -> dict[str, object]:
    return {
        "events": report.events,
        "devices": report.devices,
        "blocked": report.blocked,
        "forks": report.forks,
        "missing": report.missing,
        "problems": [{"device": p.device, "seq": p.seq, "text": p.text} for p in report.problems],
        "log": {
            "size": report.log.size,
            "checkpoints": report.log.checkpoints,
            "cosigned": report.log.cosigned,
            "cosigned_size": report.log.cosigned_size,
            "waiting": report.log.waiting,
        },
        "verified": report.intact,
    }


@fund_app.command()
def witness(
    folder: Folder,
    key: Annotated[str, typer.Argument(help="Verifier key of the witness, as `keldim witness init` shows it.")],
    quorum: Annotated[int, typer.Option(help="How many witnesses a desk asks for.")] = 1,
) -> None:
    """Trust a witness of the log; start the gateway again afterwards."""
    policy = add_witness(folder, key, quorum)
    say(f"{len(policy.witnesses)} witnesses, desks ask for {policy.quorum}; they are told with their next invitation")


@fund_app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(help="Checkpoints or receipts, from different desks and witnesses.")],
    terms: Terms,
    folder: Annotated[
        Path | None, typer.Option("--dir", envvar="KELDIM_FUND", help="Also compare with this fund's own log.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find out whether the fund showed different logs to different people. Exit code 1 when it did."""
    policy = _terms(terms)
    found = {str(path): _read(path) for path in files}
    if folder is None:
        result = compare_checkpoints(found, policy)
    else:
        with LogReader(log_store(FundHome(folder), None)) as log:
            result = compare_checkpoints(found, policy, lambda size: root_at(log, size) if size <= log.size else b"")
    if as_json:
        sizes: dict[str, object] = {name: each.size for name, each in result.checkpoints.items()}
        dump({"sizes": sizes, "contradictions": list(result.contradictions)})
    else:
        for name, checkpoint in result.checkpoints.items():
            say(f"{name}: {checkpoint.size} events, root {checkpoint.root.hex()[:16]}")
        for text in result.contradictions:
            say(f"CONTRADICTION {text}")
        say("no contradiction found" if not result.contradictions else "keep these files: they are the proof")
    if result.contradictions:
        raise typer.Exit(EXIT_NO)


@receipt_app.command("verify")
def verify_receipt(
    file: Annotated[Path, typer.Argument(help="A receipt, as `keldim sync receipt` wrote it.")],
    terms: Annotated[Path | None, typer.Option("--terms", help="log.json: whom to believe.")] = None,
    log_key: Annotated[str | None, typer.Option(help="Instead of --terms: verifier key of the log.")] = None,
    witness_key: Annotated[list[str] | None, typer.Option("--witness", help="With --log-key: of a witness.")] = None,
    device_key: Annotated[
        Path | None, typer.Option("--device", help="JWK of the device: checks its signature too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a receipt with public keys only, without any network."""
    if (terms is None) == (log_key is None):
        raise typer.BadParameter("one of --terms and --log-key", param_hint="--terms")
    policy = _terms(terms) if terms is not None else _policy(str(log_key), witness_key or [])
    proof = parse_offline(_read(file))
    signed = read_checkpoint(proof.note, policy)
    event = parse_event(proof.token)
    if device_key is not None:
        event = verify_event(_jwk(device_key), proof.token)
    check_inclusion(proof, event.digest, signed)
    told = {
        "device": event.event.device,
        "seq": event.event.seq,
        "kind": event.event.kind,
        "wall": format_time(event.event.moment.wall),
        "index": proof.index,
        "size": signed.checkpoint.size,
        "witnesses": [name for name, _ in signed.cosigned],
        "signature": "verified" if device_key is not None else "not checked: no --device",
        "verified": True,
    }
    if as_json:
        dump(told)
    else:
        say(f"event {told['seq']} of {told['device']} ({told['kind']}, {told['wall']}) is in the log")
        say(
            f"number {proof.index} of {signed.checkpoint.size}; witnesses: {', '.join(dict(signed.cosigned)) or 'none'}"
        )
        say(f"device signature: {told['signature']}")


def _policy(log_key: str, witnesses: list[str]) -> LogPolicy:
    try:
        keys = tuple(NoteKey.parse(each, KeyKind.WITNESS) for each in witnesses)
        return LogPolicy(NoteKey.parse(log_key, KeyKind.LOG), 1, keys, len(keys))
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"not the keys of a log and its witnesses: {error}") from error


def _terms(path: Path) -> LogPolicy:
    try:
        return LogPolicy.read(Members.parse(_read(path).encode("utf-8")))
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"{path.name} is not the log.json of a fund: {error}") from error


def _jwk(path: Path) -> PublicJwk:
    try:
        members = json.loads(_read(path))
        return PublicJwk.parse(members.get("public_jwk", members))
    except (ValueError, AttributeError, EnvelopeInvalid) as error:
        raise SettingsInvalid(f"{path.name} holds no public JWK") from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise typer.BadParameter(f"{path} is too large")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error
