"""The whole demonstration, step by step: found, enrol, play the day, deliver, audit.

Telling the user about each step is the command's; it hears of them through `Teller`.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from appliance import logs
from appliance.composition import OpenDesk, SeeingDesk, open_desk, open_eyes
from appliance.core.ports import FrameSource
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Instant
from appliance.demo import cast, clinic
from appliance.demo.cast import CHILD, EVERYBODY, GUARDIAN, PATIENTS, STRANGER, Model, Person, Role
from appliance.demo.clinic import Processes
from appliance.demo.performance import ENDS, Audience, Claim, Result, Stage
from appliance.demo.plan import PLAN, Act
from appliance.demo.staging import enrolment_scene
from appliance.enrolment import ConsentGiven
from appliance.guardianship import Guardianship
from appliance.guided_looks import GuidedLooks, take_looks
from appliance.records.consents import GivenBy
from appliance.records.schedule import parse_schedule
from appliance.texts import line
from sync.clock import Clock
from sync.database import immediate
from sync.envelope import Event, parse_event
from sync.fund.audit import FundReport
from sync.home import Home

SEED = 20261122
"""Of everything that varies by chance in the scenes; the steps of the challenges have a seed of their own."""

CONSENT = "2026-11"
"""Version of the consent text."""


class Teller(Protocol):
    """Whom the demonstration tells what it does."""

    def step(self, text: str) -> None:
        """Something begins."""

    def result(self, result: Result, waiting: int) -> None:
        """An act is over; waiting: events that have not reached the fund yet."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """What came of it. signed: events in the desk's ledger. frames: looked at."""

    results: tuple[Result, ...]
    signed: int
    frames: int
    fund: FundReport

    @property
    def as_planned(self) -> bool:
        """Every act came out as written, and the fund holds every event, proven."""
        complete = self.fund.intact and self.fund.events == self.signed
        return complete and all(not result.wrong for result in self.results)


def scripted(
    root: Path,
    packs: Path,
    clock: Clock,
    teller: Teller,
    plan: tuple[Act, ...] = PLAN,
    audience: Audience | None = None,
) -> DayReport:
    """Play the day with the scripted scenes. root: an empty folder. audience: a window. Raises KnownFailure."""
    teller.step("founding the fund and the desk")
    site, port = clinic.found(root, clock)
    with clinic.running(site, port, clock) as processes, _desk(site.home, clock) as desk:
        eyes = open_eyes(desk, packs)
        models = _photograph(eyes, teller)
        _import_services(desk, EVERYBODY)
        needed = {each for act in plan for each in (act.who, act.beside)}
        for number, role in enumerate(role for role in PATIENTS if role.key in needed):
            teller.step(f"enrolling {role.name}")
            enrol(eyes, role, enrolment_scene(models[role.key].portrait, Instant(0.0), SEED + number))
        if any(act.child for act in plan):
            _name_guardian(desk, teller)
        names = {who.key: desk.records.people.pseudonym(who.iin) for who in EVERYBODY}
        claims = {who.key: Claim(who.iin.digits, who.code) for who in EVERYBODY if who.code}
        stage = Stage(eyes, {key: model.portrait for key, model in models.items()}, names, audience, claims)
        results = tuple(_play(stage, plan, processes, teller))
        teller.step("waiting until the fund has everything")
        processes.drained()
        teller.step("waiting until the log holds everything and is witnessed")
        processes.proven()
        signed = desk.ledger.verify(desk.settings.fund.jwk).events
    return DayReport(results, signed, stage.frames, clinic.audit(site, signed))


@contextlib.contextmanager
def _desk(home: Home, clock: Clock) -> Iterator[OpenDesk]:
    """The desk, with its log file."""
    with open_desk(home, clock) as desk:
        logs.start(home.log / "desk.log", desk.config.log.level)
        try:
            yield desk
        finally:
            logs.stop()


def _photograph(eyes: SeeingDesk, teller: Teller) -> Mapping[str, Model]:
    teller.step("finding the people in the photos")
    models = {role.key: cast.photograph(role.picture, eyes.observer) for role in PATIENTS}
    return {**models, "stranger": cast.photograph(STRANGER, eyes.observer)}


def _name_guardian(desk: OpenDesk, teller: Teller) -> None:
    guardian = next(role for role in PATIENTS if role.key == GUARDIAN)
    teller.step(f"naming {guardian.name} as guardian of {CHILD.name}")
    consent = ConsentGiven(CONSENT, CHILD.language.value, GivenBy.GUARDIAN)
    naming = Guardianship(desk.records, desk.ledger, desk.clock, desk.config.policy, desk.software)
    naming.name(guardian.iin, CHILD.profile, consent)


def _import_services(desk: OpenDesk, people: Sequence[Person]) -> None:
    now: datetime = desk.clock.moment().wall
    with immediate(desk.records.db):
        desk.records.services.keep(parse_schedule(clinic.schedule(people, now)), now)


def enrol(eyes: SeeingDesk, role: Role, source: FrameSource, seconds: float = 20.0) -> None:
    """Enrol a role with the face that a source shows. Raises FaceNotUsable, DuplicateFace."""
    guided = GuidedLooks(eyes.observer, eyes.desk.config.policy, eyes.recogniser.agree, eyes.earlier)
    looks = take_looks(guided, source, seconds, lambda _: None)
    eyes.enrolment.enrol(role.profile, ConsentGiven(CONSENT, role.language.value), looks.probes, "camera")


def _play(stage: Stage, plan: tuple[Act, ...], processes: Processes, teller: Teller) -> list[Result]:
    results, network = [], True
    for number, act in enumerate(plan):
        if network and not act.network:
            teller.step("the network goes down")
            processes.drained()
            processes.stop_gateway()
        elif act.network and not network:
            teller.step(f"the network is back; {processes.waiting()} events wait")
            processes.start_gateway()
            processes.send_now()
        network = act.network
        teller.step(f"{act.title}{f': {act.who}' if act.who else ''}")
        result = stage.play(act, SEED + 100 + number)
        results.append(result)
        teller.result(result, processes.waiting())
    return results


OpenSource = Callable[[float], AbstractContextManager[FrameSource]]
"""Opens the camera or clip anew, a clip without its first so many seconds; closed with the block."""


@dataclass(frozen=True, slots=True)
class OnePerson:
    """A demonstration with one real person. visits: the events that the rest of the source left."""

    visits: tuple[Event, ...]
    signed: int
    fund: FundReport

    @property
    def complete(self) -> bool:
        """The fund holds every event, proven."""
        return self.fund.intact and self.fund.events == self.signed


def one_person(
    root: Path, packs: Path, clock: Clock, teller: Teller, open_source: OpenSource, seconds: float
) -> OnePerson:
    """Enrol whoever is seen in the first `seconds` of a clip or camera, and check them in from the rest.

    A clip cannot answer a random challenge: its visit must not become live. Raises KnownFailure.
    """
    teller.step("founding the fund and the desk")
    site, port = clinic.found(root, clock)
    with clinic.running(site, port, clock) as processes, _desk(site.home, clock) as desk:
        eyes, role = open_eyes(desk, packs), PATIENTS[0]
        _import_services(desk, (role,))
        teller.step(f"enrolling the person in the first {seconds:g} s as {role.name}")
        with open_source(0.0) as first:
            enrol(eyes, role, first, seconds)
        teller.step("checking in from the rest")
        enrolled = desk.ledger.head().seq
        with open_source(seconds) as rest:
            _one_visit(eyes, rest, teller)
        visits = tuple(parse_event(entry.token).event for entry in desk.ledger.entries(enrolled))
        processes.drained()
        teller.step("waiting until the log holds everything and is witnessed")
        processes.proven()
        signed = desk.ledger.verify(desk.settings.fund.jwk).events
    return OnePerson(visits, signed, clinic.audit(site, signed))


def _one_visit(eyes: SeeingDesk, source: FrameSource, teller: Teller) -> None:
    """Tell the person what to do, as the screen would, and confirm the first service for them."""
    seen: list[State] = []
    said: list[Intent] = []
    told = ""

    def watch(shown: Snapshot) -> None:
        nonlocal told
        text = line(shown, eyes.desk.config.desk.language)
        if text != told:
            told = text
            teller.step(text)
        if shown.state in ENDS:
            seen.append(shown.state)
        if shown.state is State.CONFIRM and not said:
            said.append(Intent(IntentKind.CONFIRM, shown.offers[0].service))
            station.submit(said[0])

    station = eyes.station(source.name, watch, Instant(eyes.desk.clock.monotonic()))
    station.run(source, lambda: bool(seen))
