"""The command that measures how good a pack is: evaluate.

What is measured, and how it is reported, belongs to `appliance.evaluation`; this names folders, shows progress, writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from appliance.cli.output import ERR, dump, say, table, warn
from appliance.cli.place import Json, place
from appliance.composition import software_version
from appliance.core.errors import DatasetUnknown, ReportUnwritable
from appliance.core.policy import Policy
from appliance.evaluation.cache import Cache
from appliance.evaluation.card import with_figures
from appliance.evaluation.document import DOCUMENT_NAME, write_document
from appliance.evaluation.document import as_json as document_of
from appliance.evaluation.evaluate import Order, Protocol, evaluate
from appliance.evaluation.measuring import Forgetful, Instruments, Memory, Progress
from appliance.evaluation.page import key_figures, page
from appliance.evaluation.plots import pictures
from appliance.evaluation.readers import read_sets
from appliance.evaluation.results import Evaluation
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from models.calibration import CALIBRATION_NAME, write_calibration
from models.store import PackStore
from sync.clock import SystemClock

app = typer.Typer(help="Measure how good a pack is.")
PAGE_NAME, CARD_NAME = "report.html", "card.md"
_OUT = Path("build") / "evaluation"


@app.command("evaluate")
def evaluate_pack(
    context: typer.Context,
    dataset: Annotated[
        Path,
        typer.Option(
            help="One set, or a folder of several: LFW (images/PERSON/*.jpg, pairs.txt), PERSON/[session-N/]*.jpg, "
            "NUAA (ClientRaw, ImposterRaw), clips (*_real.mp4, *_fake.mp4, or live/ and attack/TYPE/).",
        ),
    ],
    pack: Annotated[str, typer.Option(help="Which pack.")] = "builtin",
    protocol: Annotated[list[Protocol] | None, typer.Option(help="May be repeated; without it all of them.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; default build/evaluation/PACK.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Thresholds from these pictures; write them.")] = False,
    write: Annotated[
        Path | None, typer.Option(help="Folder of a recipe's data that gets calibration and card; calibrates.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Keep embeddings, which are biometric data, unsealed in this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure error rates on folders of pictures; write a report, and the calibration a pack carries.

    Nothing about a person leaves the process but numbers, unless --cache is given.
    """
    opened = open_pack(PackStore(place(context).packs).path(pack), evaluation=True)
    sets = read_sets(dataset)
    if cache is not None:
        warn(f"{cache} will hold embeddings of faces, unsealed: biometric data. Delete it when you are done.")
    wanted = frozenset(protocol or Protocol)
    order = Order(
        protocols=wanted,
        policy=Policy(),
        measured=SystemClock().moment().wall.date().isoformat(),
        program=software_version(),
        calibrate=calibrate or write is not None,
    )
    memory: Memory = Forgetful() if cache is None else Cache(cache, opened.digest, order.policy.policy_id)
    tools = Instruments(FacePipeline(opened), order.policy.gate, live=Protocol.PAD in wanted and bool(opened.pads))
    with _progress() as progress:
        found = evaluate(opened, sets, tools, memory, order, progress)
    folder = out or _OUT / opened.name
    _write_report(folder, found)
    if order.calibrate:
        _write_calibration(folder, write, found, opened)
    if as_json:
        dump(document_of(found))
        return
    table(f"pack {found.pack} {found.digest[:12]}", ("what", "figure"), key_figures(found))
    for line in found.refused:
        say(f"not claimed: {line}")
    say(f"report: {folder / PAGE_NAME}")


def _write_report(folder: Path, found: Evaluation) -> None:
    _write(folder / DOCUMENT_NAME, write_document(found))
    _write(folder / PAGE_NAME, page(found, pictures(found)).encode())


def _write_calibration(folder: Path, recipe: Path | None, found: Evaluation, pack: Pack) -> None:
    if found.calibration is None:
        raise DatasetUnknown("the sets hold nobody to compare, so no calibration follows from them")
    data = write_calibration(found.calibration)
    _write(folder / CALIBRATION_NAME, data)
    if recipe is None:
        return
    card = recipe / CARD_NAME
    text = card.read_text(encoding="utf-8") if card.is_file() else f"# Model card: pack `{pack.name}`\n"
    _write(card, with_figures(text, found).encode())
    _write(recipe / CALIBRATION_NAME, data)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise ReportUnwritable(f"{path}: cannot be written ({error.strerror})") from error


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Bars(*columns, console=ERR) as bars:
        tasks = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of or None)
            bars.update(tasks[what], completed=done)

        yield report
