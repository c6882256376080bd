"""Commands that show the appliance at work: demo."""

import contextlib
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from appliance import logs
from appliance.cli.output import ERR, EXIT_NO, dump, say, table, warn
from appliance.cli.place import Json, Place, place
from appliance.cli.sources import opened
from appliance.config import Camera as CameraConfig
from appliance.core.errors import DemoFailed
from appliance.core.ports import FrameSource
from appliance.demo import day
from appliance.demo.cast import PATIENTS
from appliance.demo.clinic import Site
from appliance.demo.performance import Audience, Result, liveness, reasons
from appliance.demo.plan import PLAN, Act
from sync.clock import SystemClock
from sync.errors import KnownFailure

app = typer.Typer()
MARK = ".keldim-demo"
"""Says that a folder was made by the demonstration and may be emptied by the next one."""


class _Shown:
    """Progress on the terminal."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=steps)

    def step(self, text: str) -> None:
        """Show what begins."""
        self._progress.update(self._task, description=text)
        self._progress.advance(self._task)

    def result(self, result: Result, waiting: int) -> None:
        """One line for an act."""
        mark = "[green]ok[/]" if not result.wrong else "[red]DIFFERS[/]"
        backlog = f", {waiting} waiting" if waiting else ""
        self._progress.console.print(f"{mark} {result.act.title} {result.act.who or ''}: {result.state}{backlog}")
        for difference in result.wrong:
            self._progress.console.print(f"   [red]{difference}[/]")


def _empty_folder(folder: Path | None) -> Path:
    """A folder for the demonstration; one it made before is emptied, any other must be empty. Raises DemoFailed."""
    try:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="keldim-demo-"))
        elif (folder / MARK).exists():
            shutil.rmtree(folder)
        elif folder.exists() and any(folder.iterdir()):
            raise DemoFailed(f"{folder} is not empty and was not made by a demonstration")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / MARK).touch()
    except OSError as error:
        raise DemoFailed(f"{folder} cannot be used: {error.strerror}") from error
    return folder


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _playing_in(folder: Path) -> Iterator[None]:
    """SIGTERM ends the demonstration as Ctrl-C does, and its processes with it; a failure says where the logs are."""
    alone = threading.current_thread() is threading.main_thread()  # else a window has it, and hears signals itself
    before = signal.signal(signal.SIGTERM, _interrupt) if alone else None
    try:
        yield
    except KnownFailure:
        warn(f"files in {folder}")
        raise
    finally:
        if alone:
            signal.signal(signal.SIGTERM, before)


def _with_progress(steps: int, work: Callable[[_Shown], day.DayReport]) -> day.DayReport:
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        return work(_Shown(progress, steps))


@app.command()
def demo(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where its files go; a new temporary folder.")] = None,
    video: Annotated[Path | None, typer.Option(help="One real person from a video file instead.")] = None,
    camera: Annotated[str | None, typer.Option(help="One real person before a webcam instead.")] = None,
    seconds: Annotated[float, typer.Option(help="With --video or --camera: how long the enrolment looks.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Play a day of a clinic with real models, a real ledger and a real fund, and check every outcome."""
    if video is not None and camera is not None:
        raise typer.BadParameter("one of --video and --camera", param_hint="--camera")
    where = place(context)
    if video is None and camera is None:
        if not play_day(where.packs, folder, as_json=as_json):
            raise typer.Exit(EXIT_NO)
        return
    root = _empty_folder(folder)
    with _playing_in(root):
        logs.start(Site(root).home.log / "desk.log", "DEBUG")
        _one_person(where, root, video, camera, seconds)


def play_day(
    packs: Path,
    folder: Path | None,
    *,
    as_json: bool = False,
    plan: tuple[Act, ...] = PLAN,
    audience: Audience | None = None,
) -> bool:
    """Play a day, tell what came of it, and say whether all was as planned. Raises KnownFailure."""
    root = _empty_folder(folder)
    with _playing_in(root):
        logs.start(Site(root).home.log / "desk.log", "DEBUG")
        steps = len(plan) + len(PATIENTS) + 7
        report = _with_progress(steps, lambda shown: day.scripted(root, packs, SystemClock(), shown, plan, audience))
    if as_json:
        visits = [_row(result) for result in report.results]
        dump(
            {
                "visits": visits,
                "events": report.signed,
                "folder": str(root),
                "summary": report.fund.summary,
                "log": report.fund.log.summary,
            }
        )
    else:
        _table(report)
        say(f"{report.frames} frames, {report.signed} events signed; files in {root}")
        say(report.fund.summary)
        say(report.fund.log.summary)
    if not report.as_planned:
        warn("not everything came out as planned")
    return report.as_planned


def _row(result: Result) -> dict[str, object]:
    event = result.event
    compared = event.data.get("comparison") if event else None
    score = compared if isinstance(compared, dict) else {}
    return {
        "visit": result.act.title,
        "who": result.act.who,
        "state": result.state.value,
        "seq": result.seq,
        "kind": event.kind if event else None,
        "reasons": list(reasons(event)) if event else [],
        "liveness": liveness(event) if event else None,
        "score": score.get("score"),
        "threshold": score.get("threshold"),
        "mode": score.get("mode"),
        "seconds": round(result.seconds, 1),
        "wrong": list(result.wrong),
    }


def _table(report: day.DayReport) -> None:
    def text(value: object) -> str:
        return "" if value is None else str(value)

    rows = []
    for row in map(_row, report.results):
        given = row["reasons"]
        why = ", ".join(given) if isinstance(given, list) else ""
        score = "" if row["score"] is None else f"{row['score']:.3f} / {row['threshold']:.3f} {row['mode']}"
        visit = f"{row['visit']}: {row['who']}" if row["who"] else str(row["visit"])
        mark = "differs" if row["wrong"] else "ok"
        rows.append((visit, row["state"], why, text(row["liveness"]), score, row["seconds"], text(row["seq"]), mark))
    head = ("visit", "verdict", "reasons", "liveness", "score / threshold", "s", "event", "")
    table("visits", head, rows)


def _one_person(where: Place, root: Path, video: Path | None, camera: str | None, seconds: float) -> None:
    clock = SystemClock()

    def open_source(skip: float) -> AbstractContextManager[FrameSource]:
        return opened(camera, video, None, CameraConfig(width=640, height=480), clock, skip if video else 0.0)

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        shown = _Shown(progress, 6)
        report = day.one_person(root, where.packs, clock, shown, open_source, seconds)
    for event in report.visits:
        say(f"visit: {event.kind}, {', '.join(reasons(event))}; liveness {liveness(event)}")
    if camera is None:
        say("A recording cannot answer a random challenge: it is not accepted as a living person, except by chance.")
    say(f"{report.signed} events signed; files in {root}")
    say(report.fund.summary)
    say(report.fund.log.summary)
    if not report.complete:
        raise typer.Exit(EXIT_NO)
