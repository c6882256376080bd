"""A patient enrolled by one pack visits after another was put in: real models, a rendered scene, the whole desk."""

import shutil
from pathlib import Path

from appliance.capture.picture import read_image
from appliance.composition import open_desk, open_eyes
from appliance.config_edit import write_packs
from appliance.core.session import State
from appliance.demo import cast, clinic
from appliance.demo.cast import PATIENTS, locate
from appliance.demo.performance import Stage
from appliance.demo.plan import Act, Outcome, Staging
from appliance.enrolment import ConsentGiven
from appliance.looks import from_picture
from appliance.migration import progress, retire
from appliance.records.schedule import parse_schedule
from sync.clock import SystemClock
from sync.database import immediate
from sync.envelope import parse_event
from tests.fakes.bad_packs import slow, with_embedder

CLOCK = SystemClock()
WHO = PATIENTS[-1]
VISIT = Act("patient", Staging.STEPS_UP, Outcome(State.RECEIPT, "checked_in"), WHO.key)


def test_one_visit_moves_a_patient_to_the_new_pack(tmp_path: Path, pack_path: Path) -> None:
    """Recognised by the old pack's templates, confirmed, re-templated; the old pack then goes without a loss."""
    packs = tmp_path / "packs"
    shutil.copytree(pack_path, packs / "old")
    with_embedder(pack_path, packs / "new", slow(1))
    site, _ = clinic.found(tmp_path / "site", CLOCK)
    write_packs(site.home.config, "old", ())
    with open_desk(site.home, CLOCK) as desk:
        before = open_eyes(desk, packs)
        model = cast.photograph(WHO.picture, before.observer)
        photo = read_image(locate(WHO.picture))
        look = from_picture(before.observer, desk.config.policy.gate, photo, "photo")
        before.enrolment.enrol(WHO.profile, ConsentGiven("2026-11", "en"), [look], "photo")
        now = CLOCK.moment().wall
        with immediate(desk.records.db):
            desk.records.services.keep(parse_schedule(clinic.schedule((WHO,), now)), now)
    write_packs(site.home.config, "new", ("old",))
    with open_desk(site.home, CLOCK) as desk:
        eyes, records = open_eyes(desk, packs), desk.records
        old, new = eyes.enrolled.earlier[0].pack, eyes.pack.digest
        assert progress(records, new).moved == 0
        result = Stage(eyes, {WHO.key: model.portrait}, {}).play(VISIT, 2)
        assert result.state is State.RECEIPT
        visit, made = (parse_event(entry.token).event for entry in desk.ledger.entries()[1:])
        assert [visit.kind, made.kind] == ["checked_in", "re_templated"]
        assert (made.data["visit"], made.data["matched_by"], made.data["pack"]) == (visit.event_id, old, new)
        assert progress(records, new).share == 1.0
        retire(records, desk.ledger, CLOCK, desk.software, desk.config.policy, old)
    write_packs(site.home.config, "new", ())
    with open_desk(site.home, CLOCK) as desk:
        assert open_eyes(desk, packs).enrolled.gallery.people == 1
        assert desk.ledger.verify(desk.settings.fund.jwk).events == 4
