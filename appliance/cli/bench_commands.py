"""Commands that measure: bench, and under it one command for each benchmark against the usual way of doing it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.bench import delivery, end_to_end, nation, search, stages, startup, transparency, update, vision
from appliance.bench.report import Figure, Report
from appliance.cli.output import ERR, dump, say, table
from appliance.cli.place import Json, place
from appliance.cli.window_commands import PASSED_ON, become
from appliance.face.pack import open_pack
from models.store import PackStore
from sync.clock import SystemClock

app = typer.Typer(help="Measure how fast the desk is; alone: every stage from a frame to the signed event.")


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    runs: Annotated[int, typer.Option(help="Runs of each stage; the median is shown.")] = 30,
    as_json: Json = False,
) -> None:
    """Measure how fast the desk is; alone: every stage from a frame to the signed event."""
    if context.invoked_subcommand is not None:
        return
    with ERR.status("measuring"):
        rows = stages.measure(place(context).packs, runs, SystemClock())
    found = stages.rates(rows)
    if as_json:
        timings = {r.stage: {"median_ms": round(r.median_ms, 4), "worst_ms": round(r.worst_ms, 4)} for r in rows}
        dump(
            {
                "runs": runs,
                "stages": timings,
                "frames_per_second_watching": round(found.watching, 1),
                "frames_per_second_deciding": round(found.deciding, 1),
                "frame_to_signed_event_ms": round(found.decision_ms, 3),
            }
        )
        return
    shown = [(r.stage, f"{r.median_ms:.3f}", f"{r.worst_ms:.3f}") for r in rows]
    table(f"median of {runs} runs, one thread", ("stage", "median ms", "slowest ms"), shown)
    say(f"watching: {found.watching:.0f} frames a second")
    say(f"frame in hand to signed event, 100,000 people: {found.decision_ms:.1f} ms, {found.deciding:.0f} a second")


PackName = Annotated[str, typer.Option("--pack", help="Which installed pack.")]


@app.command("vision")
def bench_vision(
    context: typer.Context,
    pack: PackName = "builtin",
    turns: Annotated[int, typer.Option(min=3, help="Turns of each side; medians are shown.")] = 40,
    as_json: Json = False,
) -> None:
    """Detector, embedder and the whole way to embeddings, each against its peer on the same frame and files."""
    with ERR.status("measuring"):
        report = vision.measure(PackStore(place(context).packs).path(pack), turns, SystemClock())
    show(report, as_json=as_json)


@app.command("ui", context_settings=PASSED_ON, short_help="The window: processor time, and what a patient waits for.")
def bench_ui(context: typer.Context) -> None:
    """The window: processor time of the whole kiosk, and what a patient waits for."""
    become("bench", "--packs", str(place(context).packs), *context.args)


@app.command("log")
def bench_log(
    events: Annotated[int, typer.Option(min=1000, help="Events in the log.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of each proof; the mean is shown.")] = 500,
    as_json: Json = False,
) -> None:
    """The fund's log: appending, proving, verifying, and the size of a receipt."""
    with ERR.status("measuring"):
        report = transparency.measure(events, rounds, SystemClock())
    show(report, as_json=as_json)


@app.command("sync")
def bench_sync(
    database: Annotated[
        str, typer.Option(help="Address (postgresql://...) of an empty database, which is filled; or: embedded.")
    ] = "embedded",
    gateways: Annotated[int, typer.Option(min=1, max=64, help="Gateway processes; desks are shared out.")] = 1,
    desks: Annotated[int, typer.Option(min=1, max=64, help="Desks that deliver at once.")] = 4,
    events: Annotated[int, typer.Option(min=1, max=6000, help="Events of each desk in each round.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Rounds; the median is shown.")] = 5,
    as_json: Json = False,
) -> None:
    """Signed events from desks into the fund over mutual TLS: verified, stored, receipted; and CPU time by part."""
    address = None if database == "embedded" else database
    if address is None and gateways > 1:
        raise typer.BadParameter("a fund in a file is served by one gateway; several need --database postgresql://...")
    load = delivery.Load(address, gateways, desks, events, rounds)
    with ERR.status("starting") as status:
        report = delivery.measure(load, SystemClock(), status.update)
    show(report, as_json=as_json)


@app.command("startup")
def bench_startup(
    context: typer.Context,
    pack: PackName = "builtin",
    people: Annotated[int, typer.Option(min=0, help="Enrolled people of the desk that is started.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="Starts; the median is shown.")] = 9,
    as_json: Json = False,
) -> None:
    """From the start of the desk's process until it could recognise somebody, against bare imports."""
    packs = place(context).packs
    opened = open_pack(PackStore(packs).path(pack))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("starting the desk", total=rounds + 1)
        report = startup.measure(opened, packs, people, rounds, SystemClock(), lambda: progress.advance(task))
    show(report, as_json=as_json)


@app.command("end-to-end")
def bench_end_to_end(
    context: typer.Context,
    pack: PackName = "builtin",
    people: Annotated[int, typer.Option(min=1, help="Enrolled people.")] = 150_000,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each of the three runs.")] = 20.0,
    size: Annotated[tuple[int, int], typer.Option(help="Width and height of the virtual camera.")] = (1280, 720),
    as_json: Json = False,
) -> None:
    """A virtual camera with a clock in its picture: how old a frame is, how soon it is a durable decision."""
    folder = PackStore(place(context).packs).path(pack)
    with ERR.status("opening") as status:
        report = end_to_end.measure(open_pack(folder), folder, people, seconds, size, SystemClock(), status.update)
    show(report, as_json=as_json)


@app.command("search")
def bench_search(
    context: typer.Context,
    people: Annotated[list[int] | None, typer.Option(min=100, help="Sizes of the gallery; may be given again.")] = None,
    dimension: Annotated[list[int] | None, typer.Option(min=16, help="Lengths of the embeddings; likewise.")] = None,
    pack: Annotated[str | None, typer.Option("--pack", help="Use this pack's code book and dimension.")] = None,
    probes: Annotated[
        int, typer.Option(min=20, help="Probes whose decisions are compared; half of them enrolled.")
    ] = 10_000,
    once: Annotated[
        bool, typer.Option("--once", help="A nation: codes in memory, templates in a file; one size.")
    ] = False,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where that file goes: 1 kB a person at 512.")] = None,
    as_json: Json = False,
) -> None:
    """The gallery against faiss's IndexFlatIP: time, equal decisions, adding, removing, memory."""
    book = None if pack is None else search.code_book(PackStore(place(context).packs).path(pack))
    sizes = people or [10_000, 100_000]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("", total=1.0)

        def told(what: str, part: float) -> None:
            progress.update(task, description=what, completed=part)

        if once:
            report = nation.measure(sizes[0], (dimension or [512])[0], book, folder, SystemClock(), told)
        else:
            report = search.measure(sizes, dimension or [128, 512], book, probes, SystemClock(), told)
    show(report, as_json=as_json)


@app.command("update")
def bench_update(context: typer.Context, pack: PackName = "builtin", as_json: Json = False) -> None:
    """The longest pause of a running desk while a new pack comes, is watched, taken into use and given up; minutes."""
    with ERR.status("before") as status:
        report = update.measure(place(context).packs, pack, SystemClock(), status.update)
    show(report, as_json=as_json)


def show(report: Report, *, as_json: bool) -> None:
    """One benchmark's report."""
    if as_json:
        dump(report.document())
        return
    columns = ("what", "ours", report.against or "against", "ratio", "goal")
    table(report.bench, columns, [_row(figure) for figure in report.figures])
    for name, value in report.facts.items():
        say(f"{name}: {value}")


def _row(figure: Figure) -> tuple[str, ...]:
    reference = "" if figure.reference is None else f"{figure.reference:.4g} {figure.unit}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}x"
    goal = "" if figure.goal is None else f"{figure.goal}: {'met' if figure.met else 'MISSED'}"
    return figure.what, f"{figure.value:.6g} {figure.unit}", reference, ratio, goal
