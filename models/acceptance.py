"""The operator's acceptance of licences that do not allow every use: who accepted which text, and when.

It lies in a file beside the packs. Which licence a model has says the manifest; asking belongs to the command line,
refusing a pack to `appliance.face.pack`.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models import document
from models.document import Fields, Json
from models.errors import PackDamaged, PackUnwritable
from models.manifest import Model, Use

FILE_NAME = "accepted-licences.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Acceptance:
    """licence: identifier. sha256: of its text. who: account of the machine. at: ISO 8601 with offset."""

    licence: str
    sha256: str
    who: str
    at: str


@dataclass(frozen=True, slots=True)
class Restricted:
    """A licence that has to be accepted. text: UTF-8."""

    licence: str
    text: bytes

    @property
    def sha256(self) -> str:
        """Of the text: another text is another licence."""
        return hashlib.sha256(self.text).hexdigest()


def restricted(models: Sequence[Model], texts: Mapping[str, bytes]) -> tuple[Restricted, ...]:
    """The licences of models that ask for acceptance, each once. texts: by their file's name in the pack."""
    found = (Restricted(m.licence.identifier, texts[m.licence.text]) for m in models if m.licence.use is not Use.ANY)
    return tuple(dict.fromkeys(found))


class Acceptances:
    """The file in one folder of packs."""

    def __init__(self, packs: Path) -> None:
        self._path = packs / FILE_NAME

    def read(self) -> tuple[Acceptance, ...]:
        """Everything accepted here. Raises PackDamaged for a file that is not what this writes."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise PackDamaged(f"{FILE_NAME}: cannot be read ({error.strerror})") from error
        top = document.read(data, FILE_NAME)
        if top.whole("format", 0, 1 << 16) != FORMAT:
            raise top.fault("format", f"is not {FORMAT}")
        found = tuple(_acceptance(fields) for fields in top.objects("accepted"))
        top.end()
        return found

    def missing(self, licences: Sequence[Restricted]) -> tuple[Restricted, ...]:
        """Those nobody has accepted yet."""
        known = {accepted.sha256 for accepted in self.read()}
        return tuple(licence for licence in licences if licence.sha256 not in known)

    def record(self, licences: Sequence[Restricted], who: str, at: str) -> None:
        """Add acceptances. Raises PackUnwritable."""
        known = self.read()
        new = tuple(Acceptance(licence.licence, licence.sha256, who, at) for licence in self.missing(licences))
        rows: list[Json] = [
            {"licence": row.licence, "sha256": row.sha256, "who": row.who, "at": row.at} for row in (*known, *new)
        ]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self._path, document.write({"format": FORMAT, "accepted": rows}))
        except OSError as error:
            raise PackUnwritable(f"{FILE_NAME} cannot be written: {error.strerror}") from error


def _acceptance(fields: Fields) -> Acceptance:
    found = Acceptance(fields.text("licence"), fields.sha256("sha256"), fields.text("who"), fields.text("at"))
    fields.end()
    return found


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    Path(stream.name).replace(path)
