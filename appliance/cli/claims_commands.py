"""Commands of the fund's auditors: fund reconcile, fund rates.

What a claim is judged by is `sync.fund.reconciliation`'s, what is counted `sync.fund.rates`'s. Nothing here names a
patient: claims go by their own numbers, operators by pseudonym.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from appliance.claims_file import parse_claims
from appliance.cli.output import ERR, dump, say, table
from appliance.cli.place import Folder, Json
from appliance.core.errors import ReportUnwritable
from sync.clock import SystemClock
from sync.durable import replace_file
from sync.envelope import format_time
from sync.fund.home import FundHome
from sync.fund.rates import By, Rates
from sync.fund.reconciliation import Judged, Report, Verdict
from sync.fund.reconciling import rates as count_rates
from sync.fund.reconciling import reconcile as judge_claims
from sync.fund.visits import Confirmation, Evidence
from sync.keyfile import load_key

app = typer.Typer()

_DAYS = timedelta(days=29)
"""Back from today, both included, where no days are named."""

_SHOWN = 20
"""Claims that are shown on the terminal; a file has them all."""

_CLAIM = ("claim", "clinic", "date", "service_code", "provider", "verdict")
_PROOF = ("evidence", "confirmed_at", "confirmed_for", "device", "seq", "event", "refused")


@app.command()
def reconcile(
    folder: Folder,
    claims: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV of claims, see the README.")],
    out: Annotated[Path | None, typer.Option(help="CSV to write: each claim with its verdict and its proof.")] = None,
    as_json: Json = False,
) -> None:
    """Compare what clinics claim with what their patients confirmed.

    A claim is held against a clinic only when every desk of it has delivered that day; until then it is waiting.
    """
    parsed = parse_claims(claims.read_bytes(), load_key(FundHome(folder).pseudonym_key))
    with _reading() as progress:
        found = judge_claims(folder, parsed, progress)
    if out is not None:
        _write(out, found)
    if as_json:
        dump(_document(found))
        return
    _tell(found)
    if out is not None:
        say(f"each claim: {out}")


@app.command()
def rates(
    folder: Folder,
    by: Annotated[By, typer.Option(help="Whose figures are put together.")] = By.DESK,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; today.")] = None,
    as_json: Json = False,
) -> None:
    """Count how services were confirmed: by face, by code, by hand and why; tries that failed, and alarms.

    Days are those of the desks' clocks; without --from the last 30.
    """
    until = last.date() if last else SystemClock().moment().wall.date()
    since = first.date() if first else until - _DAYS
    if since > until:
        raise typer.BadParameter("--from is after --to")
    with _reading() as progress:
        found = count_rates(folder, by, since, until, progress)
    if as_json:
        dump([_rates(one) for one in found])
        return
    if not found:
        say(f"nothing from {since} to {until}")
        return
    if by is By.OPERATOR:
        columns: tuple[str, ...] = ("by hand", "agreed by a second", "taken back", "why")
        rows = [(one.who, one.confirmed, one.agreed, one.taken_back, _why(one)) for one in found]
        table(f"{since} to {until}", (by.value, *columns), rows)
        return
    columns = ("by face", "by code", "by hand", "share by hand", "failed tries", "declined", "alarms", "why by hand")
    table(f"{since} to {until}", (by.value, "confirmed", *columns), [_row(one) for one in found])


def _why(one: Rates) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in list(one.reasons.items())[:3])


def _row(one: Rates) -> tuple[object, ...]:
    share = "" if one.by_hand is None else f"{one.by_hand:.1%}"
    face = one.evidence[Evidence.FACE] + one.evidence[Evidence.GUARDIAN]
    counts = (one.confirmed, face, one.evidence[Evidence.CODE], one.by_people, share)
    return (one.who, *counts, one.tries, one.declined, one.alarms, _why(one))


def _rates(one: Rates) -> dict[str, object]:
    return {
        "who": one.who,
        "confirmed": one.confirmed,
        "evidence": {kind.value: one.evidence[kind] for kind in Evidence},
        "by_people": one.by_hand,
        "agreed": one.agreed,
        "reasons": dict(one.reasons),
        "refused": one.refused,
        "taken_back": one.taken_back,
        "tries": one.tries,
        "declined": one.declined,
        "alarms": one.alarms,
    }


def _tell(found: Report) -> None:
    clinics: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for one in found.judged:
        clinics[one.claim.clinic][one.verdict] += 1
    shown = [verdict for verdict in Verdict if any(counted[verdict] for counted in clinics.values())]
    table(
        "claims",
        ("clinic", "claims", *(verdict.value.replace("_", " ") for verdict in shown), "not claimed"),
        [
            (clinic, counted.total(), *(counted[verdict] for verdict in shown), found.unclaimed.get(clinic, 0))
            for clinic, counted in sorted(clinics.items())
        ],
    )
    doubted = [one for one in found.judged if one.verdict is not Verdict.CONFIRMED]
    if doubted:
        columns = ("claim", "clinic", "date", "service", "provider", "verdict", "proof")
        table("claims that are not confirmed as they stand", columns, [_doubted(one) for one in doubted[:_SHOWN]])
    if len(doubted) > _SHOWN:
        say(f"and {len(doubted) - _SHOWN} more: --out FILE writes all")
    for desk in found.late:
        upto = f"up to {desk.upto}" if desk.upto else "nothing yet"
        say(f"waiting for {desk.device} of {desk.clinic}: delivered {upto}")


def _doubted(one: Judged) -> tuple[object, ...]:
    claim, by = one.claim, one.by
    why = f"{by.refused or by.provider}: {by.device} {by.seq}" if by else ""
    verdict = one.verdict.value.replace("_", " ")
    return (claim.name, claim.clinic, claim.day, claim.code, claim.provider, verdict, why)


def _fields(one: Judged) -> dict[str, object]:
    claim = one.claim
    named = (claim.name, claim.clinic, claim.day.isoformat(), claim.code, claim.provider, one.verdict.value)
    return dict(zip(_CLAIM, named, strict=True)) | dict(zip(_PROOF, _proof(one.by), strict=True))


def _proof(by: Confirmation | None) -> tuple[object, ...]:
    if by is None:
        return ("",) * len(_PROOF)
    at = (by.device, by.seq, by.event_id, by.refused or "")
    return (by.evidence.value, format_time(by.at), by.provider, *at)


def _document(found: Report) -> Mapping[str, object]:
    return {
        "claims": [_fields(one) for one in found.judged],
        "not_claimed": dict(found.unclaimed),
        "late": [
            {"device": desk.device, "clinic": desk.clinic, "upto": desk.upto and desk.upto.isoformat()}
            for desk in found.late
        ],
    }


def _write(file: Path, found: Report) -> None:
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow((*_CLAIM, *_PROOF))
    lines.writerows([_plain(each) for each in _fields(one).values()] for one in found.judged)
    try:
        replace_file(file, text.getvalue().encode())
    except OSError as error:
        raise ReportUnwritable(f"{file} cannot be written: {error.strerror}") from error


def _plain(value: object) -> object:
    """What a spreadsheet would take for a formula gets an apostrophe: claims and desks are other people's words."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


@contextmanager
def _reading() -> Iterator[Callable[[int], None]]:
    """Tells how many events were read."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} events read"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda count: progress.advance(task, count)
