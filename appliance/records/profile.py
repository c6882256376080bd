"""Who an enrolled person is: the only personal data the desk keeps, and only sealed.

Where it is kept belongs to `people`; what a screen shows of it is the greeting.
"""

import json
from dataclasses import dataclass

from appliance.core.errors import NameInvalid
from appliance.core.iin import Iin
from appliance.core.types import Sensitive

NAME_MAX = 100
"""Characters of one name; the longest on Kazakh documents stay well below."""


@dataclass(frozen=True, slots=True, repr=False)
class Profile(Sensitive):
    """given_name, family_name: as in the document; family_name may be empty. language: kk, ru or en."""

    given_name: str
    family_name: str
    iin: Iin
    language: str

    def __post_init__(self) -> None:
        """Raise NameInvalid for a name that is empty, too long, not printable or has a blank at an end."""
        if not self.given_name:
            raise NameInvalid("the given name is empty")
        for name in (self.given_name, self.family_name):
            if len(name) > NAME_MAX or not name.isprintable() or name != name.strip():
                raise NameInvalid(f"a name has at most {NAME_MAX} printable characters and no blank at its ends")

    @property
    def greeting(self) -> str:
        """First name and initial only: others in the queue read it too."""
        return f"{self.given_name} {self.family_name[0]}." if self.family_name else self.given_name

    def packed(self) -> bytes:
        """The bytes to seal."""
        return json.dumps(
            {
                "v": 1,
                "given_name": self.given_name,
                "family_name": self.family_name,
                "iin": self.iin.digits,
                "language": self.language,
            },
            ensure_ascii=False,
        ).encode()

    @classmethod
    def unpacked(cls, plain: bytes) -> "Profile":
        """Read what `packed` gave; the bytes come out of a seal, so anything else is a bug."""
        fields: dict[str, str] = json.loads(plain)
        return cls(fields["given_name"], fields["family_name"], Iin(fields["iin"]), fields["language"])
