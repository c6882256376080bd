"""Commands about people: enrol, identify, verify, people (list, look-alike), forget."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.looking import Guide, enrolment_looks, looks_of
from appliance.cli.opening import seeing_desk, working_desk
from appliance.cli.output import EXIT_NO, dump, say, table, warn
from appliance.cli.place import Json
from appliance.composition import SeeingDesk
from appliance.core.decision import Thresholds
from appliance.core.errors import DuplicateFace, PersonUnknown
from appliance.core.iin import Iin
from appliance.core.reception_events import Relation
from appliance.core.types import MatchMode, MatchResult
from appliance.enrolment import ConsentGiven, flag_look_alikes
from appliance.enrolment import forget as forget_patient
from appliance.front_texts import CHILD_CONSENT_VERSION, CONSENT_VERSION
from appliance.guardianship import Guardianship
from appliance.records.consents import GivenBy
from appliance.records.people import PersonSummary
from appliance.records.profile import Profile
from appliance.texts import Advice, Language, reception_text

IinOption = Annotated[str | None, typer.Option("--iin", help="The patient's IIN, 12 digits; asked for when not given.")]
Photo = Annotated[list[Path] | None, typer.Option(help="A photo, JPEG or PNG; several for several looks.")]
Camera = Annotated[str | None, typer.Option(help="A webcam: its number, /dev/videoN or a URL.")]
Video = Annotated[Path | None, typer.Option(help="A video file instead of a camera.")]
Seconds = Annotated[float, typer.Option(help="How much of the camera or video is looked at.")]


app = typer.Typer()
people = typer.Typer(help="List the enrolled people; look-alike: flag twins and siblings; guardian: of a child.")


@contextlib.contextmanager
def advise(language: Language) -> Iterator[None]:
    """Tell the receptionist in their language what a face that is enrolled already means."""
    try:
        yield
    except DuplicateFace:
        warn(reception_text(Advice.DUPLICATE_FACE, language))
        raise


def asked(value: str | None, option: str, label: str) -> str:
    """What was given, else what is typed at the prompt: arguments stand in the list of processes and the history."""
    if value is not None:
        return value
    if not sys.stdin.isatty():
        raise typer.BadParameter("is missing, and there is no terminal to ask at", param_hint=option)
    return str(typer.prompt(label))


@app.command()
def enrol(
    context: typer.Context,
    iin: IinOption = None,
    name: Annotated[
        str | None, typer.Option(help="Given name and family name, as in the document; asked for when not given.")
    ] = None,
    photo: Photo = None,
    camera: Camera = None,
    video: Video = None,
    seconds: Seconds = 20.0,
    consent: Annotated[
        bool, typer.Option("--consent", help="The patient has given consent, in the language below.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Language of the consent and of the screen.")] = Language.KAZAKH,
    given_by: Annotated[GivenBy, typer.Option(help="Who gave the consent.")] = GivenBy.PATIENT,
    other_look: Annotated[
        bool, typer.Option("--other-look", help="Then three more: with or without glasses, headscarf.")
    ] = False,
    overrule_duplicate: Annotated[
        bool, typer.Option("--overrule-duplicate", help="A supervisor says that a similar face is somebody else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Enrol a patient: document, consent, face, duplicate check."""
    number = Iin.parse(asked(iin, "--iin", "IIN"))
    given, _, family = " ".join(asked(name, "--name", "Name").split()).partition(" ")
    profile = Profile(given, family, number, language.value)
    with seeing_desk(context) as desk, advise(desk.desk.config.desk.language):
        agreed = ConsentGiven(CONSENT_VERSION, language.value, given_by) if consent else None
        guide = Guide(language, quiet=as_json)
        looks = enrolment_looks(desk, photo, camera, video, seconds, guide, other_look=other_look)
        result = desk.enrolment.enrol(
            profile, agreed, looks.probes, "photo" if photo else "camera", overrule_duplicate=overrule_duplicate
        )
    done = {"templates": result.templates, "quality": looks.quality, "event": result.event}
    if as_json:
        dump({"person": result.person, "missing": [view.value for view in looks.missing], **done})
    else:
        guide.missed(looks)
        say(
            f"enrolled {profile.greeting} {profile.iin}: "
            + ", ".join(f"{name} {value}" for name, value in done.items())
        )


@app.command()
def identify(
    context: typer.Context,
    photo: Photo = None,
    camera: Camera = None,
    video: Video = None,
    seconds: Seconds = 10.0,
    as_json: Json = False,
) -> None:
    """Search the whole gallery for a face. Liveness is not checked: no visit comes of it."""
    with seeing_desk(context) as desk:
        looks = looks_of(desk, photo, camera, video, seconds)
        _tell(desk, *desk.recogniser.compare(looks), as_json)


@app.command()
def verify(
    context: typer.Context,
    iin: IinOption = None,
    photo: Photo = None,
    camera: Camera = None,
    video: Video = None,
    seconds: Seconds = 10.0,
    as_json: Json = False,
) -> None:
    """Compare a face with one patient's templates. Liveness is not checked: no visit comes of it."""
    claimed = Iin.parse(asked(iin, "--iin", "IIN"))
    with seeing_desk(context) as desk:
        person = desk.desk.records.people.find(claimed)
        if person is None:
            raise PersonUnknown(f"nobody with IIN {claimed} is enrolled")
        looks = looks_of(desk, photo, camera, video, seconds)
        _tell(desk, *desk.recogniser.compare(looks, person), as_json)


def _tell(desk: SeeingDesk, result: MatchResult, limits: Thresholds, as_json: bool) -> None:
    """Show candidates against the threshold; ends with EXIT_NO when none reaches it."""
    rival = result.candidates[1].score if len(result.candidates) > 1 else None
    best = result.candidates[0].score if result.candidates else None
    clear = rival is None or best is None or best - rival >= limits.margin
    match = best is not None and best >= limits.accept and (clear or result.mode is MatchMode.VERIFY)
    people = desk.desk.records.people
    if as_json:
        ranked = [{"person": c.person, "score": round(c.score, 4)} for c in result.candidates]
        dump(
            {
                "match": match,
                "mode": result.mode.value,
                "threshold": round(limits.accept, 4),
                "extrapolated": limits.extrapolated,
                "compared": result.compared,
                "candidates": ranked,
                "liveness": "not_checked",
            }
        )
    else:
        rows = [(people.profile(c.person).greeting, c.person[:8], f"{c.score:.3f}") for c in result.candidates]
        table("", ("patient", "person", "score"), rows)
        note = ", rate extrapolated" if limits.extrapolated else ""
        say(f"threshold {limits.accept:.3f}{note}; liveness not checked: {'match' if match else 'no match'}")
    if not match:
        raise typer.Exit(EXIT_NO)


@people.callback(invoke_without_command=True)
def list_people(context: typer.Context, as_json: Json = False) -> None:
    """List the enrolled people; IINs masked, names as first name and initial."""
    if context.invoked_subcommand is not None:
        return
    with working_desk(context) as desk:
        show_register(list(desk.records.people.summaries()), "patient", as_json=as_json)


def show_register(rows: Sequence[PersonSummary], who: str, *, as_json: bool) -> None:
    """The people of a register, patients or staff. who: heading of their names."""
    if as_json:
        dump(
            [
                {
                    "person": r.person,
                    "status": r.status.value,
                    "greeting": r.greeting,
                    "iin": r.masked_iin,
                    "templates": r.templates,
                    "packs": list(r.packs),
                    "created": r.created_at,
                    "erased": r.erased_at,
                }
                for r in rows
            ]
        )
        return
    shown = [(r.person[:8], r.status, r.greeting, r.masked_iin, r.templates, r.created_at) for r in rows]
    table("", ("person", "status", who, "IIN", "templates", "since"), shown)


@people.command("look-alike")
def look_alike(
    context: typer.Context,
    one: Annotated[str | None, typer.Argument(help="IIN of a patient; asked for when not given.")] = None,
    other: Annotated[str | None, typer.Argument(help="IIN of their twin or sibling; asked for too.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the flag back.")] = False,
    as_json: Json = False,
) -> None:
    """Flag two patients whom a face alone does not tell apart: both go to the second factor from now on."""
    first = Iin.parse(asked(one, "ONE", "IIN"))
    second = Iin.parse(asked(other, "OTHER", "IIN of the other"))
    if first == second:
        raise typer.BadParameter("is the same patient", param_hint="OTHER")
    with working_desk(context) as desk:
        event = flag_look_alikes(
            desk.records, desk.ledger, desk.clock, desk.software, first, second, flagged=not remove
        )
        advice = reception_text(Advice.LOOK_ALIKE, desk.config.desk.language)
    if as_json:
        dump({"event": event, "flagged": not remove})
    elif event is None:
        say("nothing to do: they are " + ("not flagged" if remove else "flagged already"))
    else:
        say(f"{'no longer flagged' if remove else 'flagged'}; event {event}")
        if not remove:
            say(advice)


@people.command()
def guardian(
    context: typer.Context,
    guardian: Annotated[str | None, typer.Option(help="IIN of the enrolled adult; asked for when not given.")] = None,
    iin: Annotated[str | None, typer.Option("--iin", help="The child's IIN; asked for when not given.")] = None,
    name: Annotated[str | None, typer.Option(help="The child's given name and family name; asked for too.")] = None,
    consent: Annotated[
        bool, typer.Option("--consent", help="The guardian has given consent for the child, in the language below.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Language of the consent and of the screen.")] = Language.KAZAKH,
    relation: Annotated[Relation | None, typer.Option(help="What the guardian is to the child.")] = None,
    as_json: Json = False,
) -> None:
    """Name the guardian of a child: the guardian's face confirms the child's services, the child needs none."""
    adult = Iin.parse(asked(guardian, "--guardian", "IIN of the guardian"))
    number = Iin.parse(asked(iin, "--iin", "IIN of the child"))
    given, _, family = " ".join(asked(name, "--name", "Name of the child").split()).partition(" ")
    child = Profile(given, family, number, language.value)
    agreed = ConsentGiven(CHILD_CONSENT_VERSION, language.value, GivenBy.GUARDIAN) if consent else None
    with working_desk(context) as desk:
        named = Guardianship(desk.records, desk.ledger, desk.clock, desk.config.policy, desk.software)
        event = named.name(adult, child, agreed, relation)
    if as_json:
        dump({"event": event})
    else:
        say("nothing to do: the guardian was named already" if event is None else f"guardian named; event {event}")


@app.command()
def forget(
    context: typer.Context,
    iin: IinOption = None,
    reason: Annotated[str, typer.Option(help="consent_withdrawn or clinic_request.")] = "consent_withdrawn",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a patient's templates, key and name for good, and record that it was done."""
    if reason not in ("consent_withdrawn", "clinic_request"):
        raise typer.BadParameter("must be consent_withdrawn or clinic_request", param_hint="--reason")
    number = Iin.parse(asked(iin, "--iin", "IIN"))
    if not yes and not typer.confirm(f"Erase all templates of {number}? This cannot be undone."):
        raise typer.Abort
    with working_desk(context) as desk:
        event = forget_patient(desk.records, desk.ledger, desk.clock, desk.software, number, reason)
    if as_json:
        dump({"event": event})
    else:
        say(f"erased; event {event}")
