"""Measures the longest pause of a running desk while a new pack comes, is watched, taken into use, and given up.

The real station with the real pack before a scene in real time; the update is received from a real https server by the
real command in a process of its own, as on a desk. The window around it is measured by `keldim bench ui`.
"""

import contextlib
import functools
import hashlib
import http.server
import json
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, count, islice
from pathlib import Path
from typing import Final

from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.capture.scene import Scene
from appliance.capture.scene_portrait import Portrait
from appliance.capture.scene_script import Enter, LivePerson, Script
from appliance.composition import SeeingDesk, open_desk, open_eyes
from appliance.config_edit import write_packs
from appliance.core.errors import DemoFailed, PackChanged
from appliance.core.shadow import LEAST_VISITS
from appliance.core.snapshot import Snapshot
from appliance.core.types import Frame, Instant
from appliance.demo import cast, clinic
from appliance.packs_in_use import slots_of
from appliance.shadow import shadow_file
from appliance.updating import UpdateFolder
from models import publish
from models.manifest import MANIFEST_NAME, PackFile
from models.manifest_document import write_manifest
from models.publish import Parties
from models.publishing_keys import make_key_file, open_key_file
from models.releases import Followed, Ring, Wanted
from models.repository import Repository
from models.slot_state import Fault
from models.store import read_pack
from sync.clock import SystemClock
from sync.durable import replace_file
from sync.fund.home import FundHome

LIMIT_S = 1.0
_PATIENCE_S = 240.0
PHASES = ("before", "receiving", "watched", "to trial", "roll-back")


@dataclass(frozen=True, slots=True)
class Pace:
    """Frames a second; seconds of a visit, of the pause after it, and for which a phase goes on before the next.

    scenes: of both, as many as are made before the desk begins.

    A phase settles for longer than a visit and its pause, so that each has one whole of both.
    """

    fps: float = 15.0
    visit: float = 8.0
    empty: float = 6.0
    settle: float = 30.0
    scenes: int = 60


USUAL: Final = Pace()


@dataclass
class _Gaps:
    """Longest time between two frames and between two snapshots, by phase."""

    clock: SystemClock
    phase: str = PHASES[0]
    frames: dict[str, float] = field(default_factory=dict)
    snapshots: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """Whether there is a figure of either for this phase."""
        return self.frames.get(self.phase, 0.0) > 0 and self.snapshots.get(self.phase, 0.0) > 0

    def mark(self, kind: str) -> None:
        """A frame was taken, or a snapshot shown."""
        now, into = self.clock.monotonic(), self.frames if kind == "frame" else self.snapshots
        gap = now - self.last.get(kind, now)
        self.last[kind] = now
        into[self.phase] = max(into.get(self.phase, 0.0), gap)


class _Camera:
    """Somebody comes and goes before the desk, in real time."""

    name = "scene"

    def __init__(self, portrait: Portrait, gaps: _Gaps, stop: threading.Event, pace: Pace) -> None:
        self._gaps, self._stop, self._fps = gaps, stop, pace.fps
        empty, visit = Script((), seconds=pace.empty), Script((Enter(0.0, LivePerson(portrait)),), seconds=pace.visit)
        turns = (self._scene(n, (empty, visit)[n % 2]) for n in count())
        # as many as will be needed are built before the first frame is due: that is no work of a desk
        self._frames = self._play(chain(list(islice(turns, pace.scenes)), turns))
        self._index, self._due = 0, gaps.clock.monotonic()

    def read(self) -> Frame | None:
        """The next frame, when it is due."""
        frame = None if self._stop.is_set() else next(self._frames, None)
        if frame is None:
            return None
        self._due = max(self._due + 1 / self._fps, self._gaps.clock.monotonic())
        self._gaps.clock.sleep(max(self._due - self._gaps.clock.monotonic(), 0.0))
        self._gaps.mark("frame")
        self._index += 1
        return Frame(frame.pixels, Instant(self._gaps.clock.monotonic()), self.name, self._index)

    def close(self) -> None:
        """Nothing is open."""

    def _scene(self, seed: int, script: Script) -> Scene:
        return Scene(script, name=self.name, start=Instant(0.0), fps=self._fps, seed=seed)

    @staticmethod
    def _play(scenes: Iterable[Scene]) -> Iterator[Frame]:
        for scene in scenes:
            while (frame := scene.read()) is not None:
                yield frame


@contextlib.contextmanager
def _served(certificate: Path, folder: Path) -> Iterator[str]:
    """The repository on a web server."""

    class _Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def _publish(folder: Path, pack: Path, clock: SystemClock) -> tuple[Repository, Wanted]:
    """Everybody's keys, a repository, one release for all."""
    now, word = clock.moment().wall, secrets.token_hex(16)
    names = ("root-1", "root-2", "root-3", "pack-1", "pack-2", "pack-3", "online", *Ring)
    public = {name: make_key_file(folder / f"{name}.pem", word) for name in names}
    signers = {name: open_key_file(folder / f"{name}.pem", word) for name in names}
    repository = Repository(folder / "repository")
    rings = {ring: public[ring] for ring in Ring}
    publish.found(
        repository,
        Parties([public[n] for n in names[:3]], [public[n] for n in names[3:6]], public["online"], rings),
        now,
    )

    def sign() -> None:
        for name in ("root-1", "root-2", "pack-1", "pack-2", *Ring):
            repository.sign(signers[name])
        repository.stamp([signers["online"]], now)

    sign()
    release = publish.add_release(repository, pack, now)
    for ring in Ring:
        publish.assign(repository, ring, release.number, now)
    sign()
    return repository, Wanted(release.number, read_pack(pack).digest)


def _newer(pack: Path, folder: Path) -> Path:
    """The same pack with another card."""
    shutil.copytree(pack, folder)
    manifest, card = read_pack(pack).manifest, b"# another release\n"
    (folder / manifest.card).write_bytes(card)
    mine = PackFile(manifest.card, hashlib.sha256(card).hexdigest(), len(card))
    files = tuple(mine if one.name == manifest.card else one for one in manifest.files)
    (folder / MANIFEST_NAME).write_bytes(write_manifest(replace(manifest, files=files)))
    return folder


def _wait(clock: SystemClock, happened: Callable[[], bool], what: str) -> None:
    until = clock.monotonic() + _PATIENCE_S
    while not happened():
        if clock.monotonic() > until:
            raise DemoFailed(f"the update did not come to it: {what}")
        clock.sleep(0.1)


def measure(packs: Path, pack: str, clock: SystemClock, told: Callable[[str], object], pace: Pace = USUAL) -> Report:
    """Run one update and its roll-back; a few minutes. told: each phase but the first, when it has begun."""
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as name:
        root = Path(name)
        site, _ = clinic.found(root / "site", clock)
        write_packs(site.home.config, pack, ())
        repository, wanted = _publish(root, _newer(packs / pack, root / "newer"), clock)
        fund = FundHome(site.fund)
        with _served(fund.server, repository.public) as url:
            metadata = repository.public / "metadata" / "1.root.json"
            UpdateFolder(site.home).follow(
                Followed(Ring.ALL, url), metadata.read_bytes(), fund.ca_certificate.read_bytes()
            )
            gaps, stop, running = _Gaps(clock), threading.Event(), [""]
            with ThreadPoolExecutor(1) as pool, open_desk(site.home, clock) as desk:
                eyes = open_eyes(desk, packs, counted=True)
                portrait = cast.photograph(cast.PATIENTS[-1].picture, eyes.observer).portrait
                camera = _Camera(portrait, gaps, stop, pace)
                order = pool.submit(_update, packs, site, wanted, gaps, running, stop, told, pace)
                _serve(eyes, camera, gaps, running, stop)
                order.result()
    goal = Goal(Bound.AT_MOST, LIMIT_S)
    figures = [
        Figure(f"{phase}: longest time between two {kind}", found[phase], "s", LIMIT_S, goal)
        for phase in PHASES
        for kind, found in (("frames", gaps.frames), ("snapshots", gaps.snapshots))
    ]
    facts: dict[str, str | int | float] = {
        "pack": pack,
        "frames a second": pace.fps,
        "people enrolled": 0,
        "visits watched before": LEAST_VISITS - 1,
    }
    return Report("a desk during an update", "limit", facts, tuple(figures))


def _serve(
    eyes: SeeingDesk,
    camera: _Camera,
    gaps: _Gaps,
    running: list[str],
    stop: threading.Event,
) -> None:
    """The desk, as beside the window: another pack is taken between two visits."""

    def shown(snapshot: Snapshot) -> None:
        del snapshot
        gaps.mark("snapshot")

    try:
        while True:
            running[0] = eyes.pack.digest
            try:
                eyes.station(camera.name, shown, Instant(gaps.clock.monotonic())).run(camera, stop.is_set)
            except PackChanged:
                if eyes.again is None:
                    raise
                eyes = eyes.again()
            else:
                return
    finally:
        stop.set()
        eyes.close()


def _update(
    packs: Path,
    site: clinic.Site,
    wanted: Wanted,
    gaps: _Gaps,
    running: list[str],
    stop: threading.Event,
    told: Callable[[str], object],
    pace: Pace,
) -> None:
    """What happens to the desk, one thing after the other."""
    clock, slots = gaps.clock, slots_of(site.home)

    def settle() -> None:
        clock.sleep(pace.settle)
        _wait(clock, lambda: gaps.measured, f"pictures while {gaps.phase}")

    def phase(name: str, act: Callable[[], object] = lambda: None) -> None:
        settle()
        gaps.phase = name
        act()
        told(name)

    try:
        phase("receiving")
        command = [sys.executable, "-m", "appliance", "--home", str(site.home.root), "--packs", str(packs)]
        counts = {key: {"times": LEAST_VISITS - 1, "of": LEAST_VISITS - 1} for key in ("found", "passed", "alike")}
        none = {key: {"times": 0, "of": 0} for key in ("live", "taken")}
        seen = {"format": 1, "digest": wanted.digest, **counts, **none}
        replace_file(shadow_file(site.home), json.dumps(seen).encode())
        subprocess.run([*command, "models", "update"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        phase("watched")
        _wait(clock, lambda: slots.waiting() is None, "a verdict about the new pack")
        gaps.phase = "to trial"
        told("to trial")
        _wait(clock, lambda: running[0] == wanted.digest, "the new pack on trial")
        phase("roll-back", lambda: slots.give_up(wanted, Fault.DRIFT))
        _wait(clock, lambda: running[0] != wanted.digest, "the pack before")
        settle()
    finally:
        stop.set()
