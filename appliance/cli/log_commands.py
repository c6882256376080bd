"""Commands about the fund's transparency log: fund audit, witness, compare."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.cli.output import ERR, EXIT_NO, dump, say
from appliance.cli.place import Folder, Json
from appliance.cli.public_keys import read_small, read_terms
from sync.fund.audit import FundReport, verify_fund
from sync.fund.home import FundHome
from sync.fund.log_audit import LogReader, root_at
from sync.fund.office import add_witness
from sync.fund.stores import log_store
from sync.log_compare import compare as compare_checkpoints

fund_app = typer.Typer(no_args_is_help=True)

Terms = Annotated[
    Path, typer.Option("--terms", help="log.json of the fund (or a desk's fund/log.json): whom to believe.")
]


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
    policy = read_terms(terms)
    found = {str(path): read_small(path) for path in files}
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
