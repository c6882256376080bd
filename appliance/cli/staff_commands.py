"""Commands about the people who work here: staff enrol, pin, list, forget."""

import sys
from typing import Annotated

import typer

from appliance.cli.looking import Guide, enrolment_looks
from appliance.cli.opening import seeing_desk, working_desk
from appliance.cli.output import dump, say, warn
from appliance.cli.people_commands import (
    Camera,
    Photo,
    Seconds,
    Video,
    advise,
    asked,
    show_register,
)
from appliance.cli.place import Json
from appliance.core.iin import Iin
from appliance.core.operators import Pin, Role
from appliance.enrolment import ConsentGiven
from appliance.front_texts import STAFF_CONSENT_VERSION
from appliance.operators import set_pin
from appliance.records.profile import Profile
from appliance.staff import forget_staff
from appliance.texts import Language

app = typer.Typer(help="The people who work here.", no_args_is_help=True)

IinOption = Annotated[str | None, typer.Option("--iin", help="Their IIN, 12 digits; asked for when not given.")]


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
    consent: Annotated[bool, typer.Option("--consent", help="They have given consent, in the language below.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the consent.")] = Language.KAZAKH,
    as_json: Json = False,
) -> None:
    """Enrol somebody who works here. They check in as nobody; their face before the desk for a patient is an alarm."""
    number = Iin.parse(asked(iin, "--iin", "IIN"))
    given, _, family = " ".join(asked(name, "--name", "Name").split()).partition(" ")
    profile = Profile(given, family, number, language.value)
    with seeing_desk(context) as desk, advise(desk.desk.config.desk.language):
        agreed = ConsentGiven(STAFF_CONSENT_VERSION, language.value) if consent else None
        guide = Guide(language, quiet=as_json)
        looks = enrolment_looks(desk, photo, camera, video, seconds, guide)
        result = desk.staff_enrolment.enrol(profile, agreed, looks.probes, "photo" if photo else "camera")
    if as_json:
        dump({"person": result.person, "event": result.event, "templates": result.templates})
    else:
        guide.missed(looks)
        say(f"enrolled as staff {profile.greeting} {profile.iin}: {result.templates} template(s), event {result.event}")


@app.command()
def pin(
    context: typer.Context,
    iin: IinOption = None,
    name: Annotated[
        str | None, typer.Option(help="Who is not in the register of staff yet: given name and family name.")
    ] = None,
    role: Annotated[Role, typer.Option(help="What they may do at the reception.")] = Role.RECEPTIONIST,
    language: Annotated[Language, typer.Option(help="Their language.")] = Language.KAZAKH,
    as_json: Json = False,
) -> None:
    """Give somebody who works here a PIN and a role, or new ones. The PIN is asked for, twice, and never shown."""
    number = Iin.parse(asked(iin, "--iin", "IIN"))
    given, _, family = " ".join((name or "").split()).partition(" ")
    who = Profile(given, family, number, language.value) if given else number
    if not sys.stdin.isatty():
        raise typer.BadParameter("is typed at a terminal, and there is none", param_hint="PIN")
    typed = Pin(str(typer.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)))
    typed.require_strong()
    with working_desk(context) as desk:
        result = set_pin(desk.records, desk.ledger, desk.clock, desk.software, who, role, typed)
    if as_json:
        dump({"person": result.person, "event": result.event, "role": role.value, "face_missing": result.face_missing})
        return
    say(f"{role.value} {number}: PIN set, event {result.event}")
    if result.face_missing:
        warn("Their face is not enrolled: before the kiosk it would not be noticed. Enrol it with: keldim staff enrol")


@app.command("list")
def list_staff(context: typer.Context, as_json: Json = False) -> None:
    """List the enrolled staff; IINs masked, names as first name and initial."""
    with working_desk(context) as desk:
        show_register(list(desk.records.staff.people.summaries()), "name", as_json=as_json)


@app.command()
def forget(
    context: typer.Context,
    iin: IinOption = None,
    reason: Annotated[str, typer.Option(help="left or consent_withdrawn.")] = "left",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase the templates, key and name of somebody who worked here for good, and record that it was done."""
    if reason not in ("left", "consent_withdrawn"):
        raise typer.BadParameter("must be left or consent_withdrawn", param_hint="--reason")
    number = Iin.parse(asked(iin, "--iin", "IIN"))
    if not yes and not typer.confirm(f"Erase all templates of {number}? This cannot be undone."):
        raise typer.Abort
    with working_desk(context) as desk:
        event = forget_staff(desk.records, desk.ledger, desk.clock, desk.software, number, reason)
    if as_json:
        dump({"event": event})
    else:
        say(f"erased; event {event}")
