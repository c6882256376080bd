"""Looks of one person as a command asks for them: from photos, a camera or a film, telling the person what to do.

Taking them is `guided_looks`' and `looks`'; which commands there are, `people_commands`' and `staff_commands`'.
"""

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from appliance.capture.picture import read_image
from appliance.cli.output import EXIT_USAGE, prompt, say, warn
from appliance.cli.sources import opened
from appliance.composition import SeeingDesk
from appliance.core.policy import QualityGate
from appliance.core.ports import FrameSource
from appliance.guided_looks import VIEWS, GuidedLooks, Looks, Progress, take_looks
from appliance.looks import from_picture, from_source
from appliance.recognition import Probe
from appliance.texts import Language, hint_text, other_look_text, view_text


def _from_photos(desk: SeeingDesk, gate: QualityGate, photos: list[Path]) -> list[Probe]:
    return [from_picture(desk.observer, gate, read_image(photo), photo.name, desk.earlier) for photo in photos]


def _source(
    desk: SeeingDesk, photos: list[Path], camera: str | None, video: Path | None
) -> AbstractContextManager[FrameSource]:
    """The camera or film. Ends with EXIT_USAGE for no source, or two."""
    if photos:
        warn("Name one source: --photo FILE, --camera 0 or --video FILE.")
        raise SystemExit(EXIT_USAGE)
    settings, clock, admit = desk.desk.config.camera, desk.desk.clock, desk.desk.admission.admit
    return opened(camera, video, None, settings, clock, admit=admit)


def looks_of(
    desk: SeeingDesk, photos: list[Path] | None, camera: str | None, video: Path | None, seconds: float
) -> list[Probe]:
    """The looks of who is before the camera, or in photos or a film, for a comparison."""
    policy = desk.desk.config.policy
    if photos and camera is None and video is None:
        return _from_photos(desk, policy.gate, photos)
    with _source(desk, photos or [], camera, video) as source:
        return list(from_source(desk.observer, policy, source, seconds, earlier=desk.earlier))


class Guide:
    """Says what the person is to do next, each thing once. quiet: says nothing."""

    def __init__(self, language: Language, *, quiet: bool) -> None:
        self._language, self._quiet, self._said = language, quiet, ""

    def __call__(self, progress: Progress) -> None:
        """Say the hint, else the view that is wanted."""
        if progress.wanted is None or self._quiet:
            return
        todo = hint_text(progress.hint, self._language) if progress.hint else view_text(progress.wanted, self._language)
        text = f"{progress.looks + 1}/{len(VIEWS)} {todo}"
        if text != self._said:
            say(text)
            self._said = text

    def pause(self) -> None:
        """Ask for the other look and wait for Enter, where there is a terminal to press it at."""
        if sys.stdin.isatty():
            prompt(f"{other_look_text(self._language)} ⏎ ", aside=self._quiet)
            sys.stdin.readline()

    def missed(self, looks: Looks) -> None:
        """Say which views are missing."""
        for view in looks.missing:
            warn(f"not seen: {view_text(view, self._language)}")


def enrolment_looks(
    desk: SeeingDesk,
    photos: list[Path] | None,
    camera: str | None,
    video: Path | None,
    seconds: float,
    guide: Guide,
    *,
    other_look: bool = False,
) -> Looks:
    """Three guided looks, or those of the photos; other_look: then three more, each set within so many seconds."""
    policy, agree = desk.desk.config.policy, desk.recogniser.agree
    if photos and camera is None and video is None:
        return Looks(tuple(_from_photos(desk, policy.enrolment_gate, photos)), ())
    with _source(desk, photos or [], camera, video) as source:
        looks = take_looks(GuidedLooks(desk.observer, policy, agree, desk.earlier), source, seconds, guide)
        if not other_look:
            return looks
        guide.pause()
        again = GuidedLooks(desk.observer, policy, lambda probes: agree([*looks.probes, *probes]), desk.earlier)
        more = take_looks(again, source, seconds, guide)
    return Looks(looks.probes + more.probes, looks.missing + more.missing)
