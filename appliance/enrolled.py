"""Keeps the gallery in memory equal to the enrolled templates on the disk.

A patient may be enrolled or forgotten by another process while the desk runs; before each comparison the desk asks for
`refresh`, which costs one small query when nothing has changed.
"""

import logging

from appliance.core.errors import PersonUnknown, TemplateDamaged
from appliance.core.types import PersonId
from appliance.matching.gallery import Gallery
from appliance.records.desk import DeskRecords

_LOG = logging.getLogger(__name__)


class EnrolledGallery:
    """The gallery of one pack and where it comes from; lives on the thread that opened the database."""

    def __init__(self, records: DeskRecords, gallery: Gallery) -> None:
        """Load everybody. A template that does not open is left out and counted; the person can be enrolled again."""
        self.gallery = gallery
        self.damaged = 0
        self._records = records
        self._seen = records.templates.state()
        gallery.add_all(records.templates.load(gallery.pack, self._left_out))
        _LOG.info("gallery: %d people, %d templates left out", gallery.people, self.damaged)

    def refresh(self) -> bool:
        """Take over what was added, replaced and erased since; True when anything was."""
        seen = self._records.templates.state()
        if seen == self._seen:
            return False
        for person in self._records.templates.changed(self._seen):
            self._take(person)
        self._seen = seen
        return True

    def _take(self, person: PersonId) -> None:
        self.gallery.remove(person)
        try:
            theirs = self._records.templates.of(person, self.gallery.pack)
        except TemplateDamaged as failure:
            self._left_out(failure)
        except PersonUnknown:
            _LOG.info("person %s was erased", person)
        else:
            if theirs:
                self.gallery.add(person, [template.embedding for template in theirs])

    def _left_out(self, failure: TemplateDamaged) -> None:
        self.damaged += 1
        _LOG.error("%s: %s", failure.code, failure)
