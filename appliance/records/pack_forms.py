"""Which packs make templates of the same form, so that those of one can be compared by another.

A pack has another digest as soon as one threshold changes; its templates are the same as long as detector and embedder
are. What a form is says `models.manifest`; the templates belong to `templates`.
"""

from collections.abc import Iterable
from typing import Final

from appliance.core.types import PackDigest
from sync.database import Database, known

ALIKE: Final = (
    "(pack = ? OR pack IN (SELECT other.pack FROM pack_form mine JOIN pack_form other USING (form)"
    " WHERE mine.pack = ?))"
)
"""A condition on rows with a pack: that pack, or one of its form. Takes the pack twice."""


class PackForms:
    """The table `pack_form`: every pack that this desk has opened or come across, never forgotten."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, pack: PackDigest, form: str) -> None:
        """Remember the form of a pack, as its manifest says, whose digest the pack is."""
        with known():
            self._db.execute("INSERT INTO pack_form (pack, form) VALUES (?, ?) ON CONFLICT DO NOTHING", (pack, form))

    def alike(self, pack: PackDigest) -> frozenset[PackDigest]:
        """A pack and all others of its form."""
        with known():
            rows = self._db.execute(
                "SELECT other.pack FROM pack_form mine JOIN pack_form other USING (form) WHERE mine.pack = ?", (pack,)
            ).fetchall()
        return frozenset({pack, *(PackDigest(row[0]) for row in rows)})

    def with_alike(self, packs: Iterable[PackDigest]) -> frozenset[PackDigest]:
        """These packs and all others of their forms."""
        return frozenset().union(*(self.alike(pack) for pack in packs))
