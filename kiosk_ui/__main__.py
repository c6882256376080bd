"""The `keldim-window` command: the patient's window over a desk, or over the demonstration clinic.

`keldim kiosk` and `make run` start it. Options are read here; what is opened is `program`'s.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import kiosk_ui.environment  # before Qt
from appliance.cli.opening import desk_at, eyes_at
from appliance.cli.output import EXIT_NO, run
from appliance.cli.place import HOME_VARIABLE, PACKS_VARIABLE, Place, place_of
from appliance.cli.setup_dialogue import Source
from appliance.cli.sources import chosen, opened
from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.errors import ScreenMissing
from appliance.core.ports import FrameSource
from appliance.core.setup_steps import SetupStep
from appliance.core.types import Instant
from appliance.supervisor import Watchdog, Watched, supervisor_of
from appliance.texts import Language
from kiosk_ui.aids import Sound
from kiosk_ui.desk import DeskThread
from kiosk_ui.program import Placing, Preview, Program
from kiosk_ui.voice_speaker import ProgramSpeaker
from sync.clock import Clock, SystemClock
from sync.errors import KnownFailure
from sync.memory import guard_memory

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The desk and the camera that the command line names; opened on the desk's thread.

    watchdog: learns of each picture, and of whatever keeps the desk closed.
    """

    where: Place
    clock: Clock
    preview: Preview
    watchdog: Watchdog
    training: bool
    camera: str | None
    video: Path | None
    images: Path | None

    @contextmanager
    def eyes(self) -> Iterator[SeeingDesk]:
        """The desk with its pack, or a copy to practise on."""
        try:
            with eyes_at(self.where, self.clock, training=self.training, counted=True) as eyes:
                yield eyes
        except KnownFailure:
            self.watchdog.failed(Instant(self.clock.monotonic()))
            raise

    @contextmanager
    def source(self, desk: OpenDesk) -> Iterator[FrameSource]:
        """The named source; its frames are previewed."""
        with opened(
            self.camera,
            self.video,
            self.images,
            desk.config.camera,
            self.clock,
            admit=desk.admission.admit,
            preview=self.preview,
        ) as source:
            yield Watched(source, self.watchdog, self.clock)


Home = Annotated[
    Path | None, typer.Option("--home", envvar=HOME_VARIABLE, help="The desk's folder.", show_default=False)
]
Packs = Annotated[
    Path | None, typer.Option("--packs", envvar=PACKS_VARIABLE, help="Folder of model packs.", show_default=False)
]
Fullscreen = Annotated[bool, typer.Option("--fullscreen", help="As a kiosk; otherwise a window that can be moved.")]
Monitor = Annotated[int, typer.Option("--screen", help="Number of the monitor, from 0.")]
Speaks = Annotated[
    Language | None, typer.Option("--language", help="First language of the screen; the desk's without it.")
]


@app.command()
def kiosk(
    camera: Annotated[str | None, typer.Option(help="A webcam: its number, /dev/videoN or a URL.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video file instead of a camera.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures instead, 15 a second.")] = None,
    home: Home = None,
    packs: Packs = None,
    fullscreen: Fullscreen = False,
    screen: Monitor = 0,
    language: Speaks = None,
    training: Annotated[bool, typer.Option("--training", help="Practise: on a copy of which nothing is kept.")] = False,
    volume: Annotated[float, typer.Option(help="Of the voice and the bell; 0 is mute.", min=0.0, max=1.0)] = 0.6,
) -> None:
    """Open the patient's window over this desk."""
    chosen(camera, video, images)
    _need_a_screen()
    where, clock = place_of(home, packs), SystemClock()
    watchdog = Watchdog(supervisor_of(os.environ))

    def alive() -> None:
        now = Instant(clock.monotonic())
        watchdog.ping(now, now)

    speaker = ProgramSpeaker(where.home.root / "voice")
    sound = Sound(speaker, volume, speaks=not speaker.report().silent)
    program = Program(clock, language, Placing(fullscreen, screen), alive, sound)
    opening = _Chosen(where, clock, program.preview, watchdog, training, camera, video, images)
    code = program.run(DeskThread(opening, clock, program.publish, program.ended, program.tell))
    watchdog.stopping()
    raise typer.Exit(code)


@app.command()
def reception(
    camera: Annotated[str | None, typer.Option(help="A webcam at the reception, for enrolments.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video file instead of that camera.")] = None,
    home: Home = None,
    packs: Packs = None,
    fullscreen: Fullscreen = False,
    screen: Monitor = 0,
    language: Speaks = None,
) -> None:
    """Open the reception's window over this desk, beside the patient's."""
    from kiosk_ui.front_program import run_reception

    _need_a_screen()
    where, clock, placing = place_of(home, packs), SystemClock(), Placing(fullscreen, screen, 1366, 768)

    def seen(preview: Preview) -> _Chosen:
        return _Chosen(where, clock, preview, Watchdog(None), False, camera, video, None)

    cameras = seen if camera or video else None
    with desk_at(where, clock) as desk:
        raise typer.Exit(run_reception(desk, where.packs, language, placing, cameras))


@app.command("setup-desk")
def setup_desk(
    camera: Annotated[str | None, typer.Option(help="The desk's webcam: number, /dev/videoN or URL.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video file instead of a camera.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures instead, 15 a second.")] = None,
    step: Annotated[SetupStep | None, typer.Option(help="Begin with this step.")] = None,
    home: Home = None,
    packs: Packs = None,
    fullscreen: Fullscreen = False,
    screen: Monitor = 0,
) -> None:
    """Make this desk ready in a window: the steps of `keldim setup-desk`."""
    from kiosk_ui.setup_program import run_setup

    chosen(camera, video, images)
    _need_a_screen()
    where, placing = place_of(home, packs), Placing(fullscreen, screen)
    raise typer.Exit(run_setup(where, SystemClock(), Source(camera, video, images), step, placing))


@app.command()
def demo(
    folder: Annotated[Path | None, typer.Option("--dir", help="Where its files go; a new temporary folder.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Play as fast as it goes, and save a picture of every state in this folder.")
    ] = None,
    patience: Annotated[
        float, typer.Option(help="Seconds for which the people played wait for you to press a button.")
    ] = 6.0,
    visits: Annotated[int, typer.Option(help="How many visits are played.", min=1)] = 99,
    as_json: Annotated[bool, typer.Option("--json", help="With --pictures: machine-readable output.")] = False,
    packs: Packs = None,
    fullscreen: Fullscreen = False,
    screen: Monitor = 0,
    language: Speaks = None,
) -> None:
    """Show the demonstration clinic in the window: its people step up by themselves, and the buttons work."""
    from kiosk_ui.demonstration import photograph, watch

    if pictures is None:
        _need_a_screen()
    where, clock = place_of(None, packs), SystemClock()
    program = Program(clock, language, Placing(fullscreen, screen))
    if pictures is None:
        well = watch(program, clock, where.packs, folder, patience, visits)
    else:
        well = photograph(program, where.packs, folder, pictures, as_json=as_json)
    raise typer.Exit(0 if well else EXIT_NO)


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(min=1, help="How long each arrangement runs.")] = 10.0,
    visits: Annotated[int, typer.Option(min=1, help="How many visits of the demonstration are timed.")] = 3,
    packs: Packs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Measure the window: processor time of the whole kiosk, and what a patient waits for."""
    from appliance.cli.bench_commands import show
    from kiosk_ui.bench import measure

    show(measure(place_of(None, packs).packs, seconds, visits), as_json=as_json)


def _need_a_screen() -> None:
    """Raises ScreenMissing: a unit that draws for nobody would look well."""
    if not kiosk_ui.environment.ON_A_SCREEN:
        raise ScreenMissing("there is no screen: neither DISPLAY nor WAYLAND_DISPLAY nor QT_QPA_PLATFORM is set")


def main() -> None:
    """Run the command given on the command line and exit with its code."""
    guard_memory()
    sys.exit(run(lambda: app(prog_name="keldim-window")))


if __name__ == "__main__":
    main()
