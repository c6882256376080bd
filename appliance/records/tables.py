"""The two registers of a desk, patients and staff: the same tables twice, under names that never mix.

What the tables hold is the modules' that own them; their statements are in `schema`.
"""

from dataclasses import dataclass

from appliance.records.vault import SealedKind


@dataclass(frozen=True, slots=True)
class Tables:
    """One register's tables. prefix: of their names. profile, face: kinds its blobs are sealed as."""

    prefix: str
    profile: SealedKind
    face: SealedKind

    def sql(self, text: str) -> str:
        """A statement for this register; `{}` stands before each table's name."""
        return text.replace("{}", self.prefix)


PATIENTS = Tables("", SealedKind.PROFILE, SealedKind.FACE)
STAFF = Tables("staff_", SealedKind.STAFF_PROFILE, SealedKind.STAFF_FACE)
