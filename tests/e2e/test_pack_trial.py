"""Templates while packs come and go: a threshold moves nobody, and who enrolled during a trial outlives it."""

from pathlib import Path

from appliance.composition import SeeingDesk, open_desk, open_eyes
from appliance.config_edit import write_packs
from appliance.core.types import LivenessVerdict, PersonId
from appliance.demo import cast, clinic
from appliance.demo.cast import PATIENTS, Role
from appliance.enrolment import ConsentGiven
from appliance.migration import progress
from appliance.packs_in_use import slots_of
from appliance.recognition import Probe, take
from models.releases import Wanted
from models.slot_state import Fault
from models.store import read_pack
from sync.clock import SystemClock
from sync.envelope import parse_event
from sync.home import Home
from tests.fakes.bad_packs import slow, with_card, with_embedder

CLOCK = SystemClock()
WHO, LATER = PATIENTS[-1], PATIENTS[0]


def _install(home: Home, pack: Path, number: int) -> Wanted:
    wanted = Wanted(number, read_pack(pack).digest)
    slots_of(home).install(pack, wanted)
    return wanted


def _looks(eyes: SeeingDesk, who: Role) -> list[Probe]:
    model = cast.photograph(who.picture, eyes.observer)
    return [take(eyes.observer, eyes.earlier, model.photo, model.face, 80)]


def _is_known(eyes: SeeingDesk, who: Role, person: PersonId | None) -> bool:
    result, thresholds = eyes.recogniser.compare(_looks(eyes, who))
    best = result.candidates[0]
    return best.person == person and best.score >= thresholds.accept


def test_templates_outlive_thresholds_and_trials(tmp_path: Path, pack_path: Path) -> None:
    """A release with the same embedder re-templates nobody and is named by events; a roll-back loses nobody."""
    site, _ = clinic.found(tmp_path / "site", CLOCK)
    home, packs = site.home, pack_path.parent
    write_packs(home.config, pack_path.name, ())
    with open_desk(home, CLOCK) as desk:
        eyes = open_eyes(desk, packs)
        eyes.enrolment.enrol(WHO.profile, ConsentGiven("2026-11", "en"), _looks(eyes, WHO), "photo")

    same = _install(home, with_card(pack_path, tmp_path / "same", b"# another threshold\n"), 1)
    with open_desk(home, CLOCK) as desk:
        eyes = open_eyes(desk, packs)
        assert (eyes.pack.digest, eyes.earlier, eyes.enrolled.gallery.people) == (same.digest, (), 1)
        assert progress(desk.records, eyes.pack.digest).share == 1.0
        decision = eyes.recogniser.decide(_looks(eyes, WHO), LivenessVerdict.LIVE, None, frozenset(), lambda _: False)
        assert decision.person is not None
        assert decision.person == desk.records.people.find(WHO.iin)
        assert (decision.evidence.pack, decision.evidence.fresh) == (same.digest, ()), "nothing is to be re-templated"
        (enrolled,) = (parse_event(entry.token).event for entry in desk.ledger.entries())
        matched = desk.records.templates.best(decision.person, decision.evidence.probe)
        assert matched is not None
        assert [matched.name] == enrolled.data["templates"], "events name it as it was enrolled"
    slots_of(home).mark_good(same)

    other = _install(home, with_embedder(pack_path, tmp_path / "other", slow(1)), 2)
    with open_desk(home, CLOCK) as desk:
        eyes = open_eyes(desk, packs)
        assert [each.pack.digest for each in eyes.earlier] == [same.digest]
        later = eyes.enrolment.enrol(LATER.profile, ConsentGiven("2026-11", "en"), _looks(eyes, LATER), "photo")
        event = parse_event(list(desk.ledger.entries())[-1].token).event
        assert (event.data["pack"], event.data["spare_pack"]) == (other.digest, same.digest)
        assert _is_known(eyes, LATER, later.person)

    slots_of(home).give_up(other, Fault.DRIFT)
    with open_desk(home, CLOCK) as desk:
        eyes = open_eyes(desk, packs)
        assert (eyes.pack.digest, eyes.earlier, eyes.enrolled.gallery.people) == (same.digest, (), 2)
        assert _is_known(eyes, LATER, later.person)
        assert _is_known(eyes, WHO, desk.records.people.find(WHO.iin))
        eyes.enrolment.forget(LATER.iin, "clinic_request")
        assert desk.records.templates.count(later.person) == 0
        event = parse_event(list(desk.ledger.entries())[-1].token).event
        assert event.data["templates"] == 2, "those of both packs are gone"
        assert desk.ledger.verify(desk.settings.fund.jwk).events == 3
