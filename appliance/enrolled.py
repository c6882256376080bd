"""Keeps the galleries in memory equal to the enrolled templates on the disk, of patients as of staff.

Somebody may be enrolled or forgotten by another process while the desk runs; before each comparison the desk asks for
`refresh`, which costs one small query when nothing has changed.
"""

import logging
from collections.abc import Iterator, Mapping

from appliance.core.errors import PersonUnknown, TemplateDamaged
from appliance.core.policy import Policy
from appliance.core.types import Embedding, PackDigest, PersonId
from appliance.matching.gallery import Gallery
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import PackSide, Recogniser, ThresholdSource
from appliance.records.desk import DeskRecords
from appliance.records.templates import Templates

_LOG = logging.getLogger(__name__)


class EnrolledGallery:
    """One register in memory, a gallery for each pack in use; lives on the thread that opened the database.

    gallery: of the desk's pack. earlier: of packs the desk is moving away from, newest first. Everybody is in one of
    them only: the newest pack they have a template of. erased: people whose erasure was noticed since the start.
    """

    def __init__(self, templates: Templates, gallery: Gallery, *earlier: Gallery) -> None:
        """Load everybody. A template that does not open is left out and counted; the person can be enrolled again."""
        self.gallery = gallery
        self.earlier = earlier
        self.damaged = 0
        self.erased = 0
        self._templates = templates
        self._seen = templates.state()
        for place, each in enumerate(self.galleries):
            each.add_all(self._load(each, self.galleries[:place]))
            _LOG.info("gallery: %d people by pack %s", each.people, each.pack[:12])
        if self.damaged:
            _LOG.error("%d templates were left out", self.damaged)

    @property
    def galleries(self) -> tuple[Gallery, ...]:
        """All of them, newest pack first."""
        return (self.gallery, *self.earlier)

    @property
    def people(self) -> int:
        """How many people have a template of a pack in use."""
        return sum(each.people for each in self.galleries)

    def sides(self, calibrations: Mapping[PackDigest, ThresholdSource]) -> tuple[PackSide, ...]:
        """A side for each gallery. Raises KeyError for a pack without calibration."""
        return tuple(PackSide(GalleryMatcher(each), calibrations[each.pack], each.pack) for each in self.galleries)

    def refresh(self) -> bool:
        """Take over what was added, replaced and erased since; True when anything was."""
        seen = self._templates.state()
        if seen == self._seen:
            return False
        for person in self._templates.changed(self._seen):
            self._take(person)
        self._seen = seen
        return True

    def remove(self, person: PersonId) -> None:
        """Forget somebody at once, ahead of the next `refresh`."""
        for each in self.galleries:
            each.remove(person)

    def clear(self) -> None:
        """Nobody is in memory any more; harmless when called twice."""
        for each in self.galleries:
            each.clear()

    def _load(self, gallery: Gallery, newer: tuple[Gallery, ...]) -> Iterator[tuple[PersonId, tuple[Embedding, ...]]]:
        return self._templates.load(gallery.pack, self._left_out, lambda person: any(person in each for each in newer))

    def _take(self, person: PersonId) -> None:
        self.remove(person)
        for each in self.galleries:
            try:
                theirs = self._templates.of(person, each.pack)
            except TemplateDamaged as failure:
                self._left_out(failure)
            except PersonUnknown:
                self.erased += 1
                _LOG.info("person %s was erased", person)
                return
            else:
                if theirs:
                    each.add(person, [template.embedding for template in theirs])
                    return

    def _left_out(self, failure: TemplateDamaged) -> None:
        self.damaged += 1
        _LOG.error("%s: %s", failure.code, failure)


def recogniser_over(
    records: DeskRecords,
    enrolled: EnrolledGallery,
    staff: EnrolledGallery,
    calibrations: Mapping[PackDigest, ThresholdSource],
    policy: Policy,
) -> Recogniser:
    """Compares with everybody in memory, and asks the records about look-alikes and about staff who are patients."""
    newest, *earlier = enrolled.sides(calibrations)

    def same_person(operator: PersonId, patient: PersonId) -> bool:
        return records.staff.people.reference(operator) == records.people.reference(patient)

    return Recogniser(
        matcher=newest.matcher,
        calibration=newest.calibration,
        policy=policy,
        pack=newest.pack,
        earlier=tuple(earlier),
        staff=staff.sides(calibrations),
        flagged=lambda person: bool(records.look_alikes.of(person)),
        same_person=same_person,
    )
