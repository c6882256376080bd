"""One TOML file becomes one frozen Config.

Read by composition roots only, which hand values on, never the Config. The sections [device], [fund], [key] and [keys]
belong to `sync`, which reads them itself; here they are only known by name. Every other unknown name is an error.
"""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

from appliance.core.camera import Allowed
from appliance.core.errors import ConfigInvalid
from appliance.core.policy import Policy
from appliance.texts import Language

MAX_CONFIG_BYTES = 64 * 1024
"""Some forty settings with comments need 4 KiB; anything much larger is not this file."""

_OTHERS = ("device", "fund", "key", "keys")


@dataclass(frozen=True, slots=True)
class Desk:
    """[desk]: how the desk speaks to the patient. training: its staff practises; no visit and no enrolment is kept."""

    language: Language = Language.KAZAKH
    training: bool = False


@dataclass(frozen=True, slots=True)
class Camera:
    """[camera]: what is asked of the camera, which the command names.

    width, height in pixels, rate in frames per second; a camera may give others. allow: the cameras that may serve this
    desk, as `Allowed.parse` reads them and `keldim cameras` prints them; none: any that no program makes. streams:
    whole addresses of network cameras that may serve it.
    """

    width: int = 1280
    height: int = 720
    rate: int = 30
    allow: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what no camera gives."""
        if not (160 <= self.width <= 7680 and 120 <= self.height <= 4320):
            raise ValueError("width and height must be between 160x120 and 7680x4320")
        if not 1 <= self.rate <= 240:
            raise ValueError("rate must be between 1 and 240")
        _ = self.allowed

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """The allow-list, read. Raises ValueError for a line that is none."""
        return tuple(map(Allowed.parse, self.allow))


@dataclass(frozen=True, slots=True)
class Pack:
    """[pack]: the model pack of this desk. folder: None where the packs are in the usual place.

    previous: packs the desk is moving away from, newest first: who has templates of these only is still recognised.
    """

    name: str = "builtin"
    folder: Path | None = None
    previous: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a name that would leave the folder of packs, and for one that is there twice."""
        names = (self.name, *self.previous)
        for where, name in (("name", self.name), *(("previous", each) for each in self.previous)):
            if not name or "/" in name or "\\" in name or name.startswith("."):
                raise ValueError(f"{where} must be the plain name of a pack")
        if len(set(names)) < len(names):
            raise ValueError("previous must name other packs than name, each once")


@dataclass(frozen=True, slots=True)
class Log:
    """[log]: from which level the log file is written."""

    level: str = "INFO"

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown level."""
        if self.level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("level must be DEBUG, INFO, WARNING or ERROR")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of the desk's own process."""

    desk: Desk = field(default_factory=Desk)
    camera: Camera = field(default_factory=Camera)
    pack: Pack = field(default_factory=Pack)
    log: Log = field(default_factory=Log)
    policy: Policy = field(default_factory=Policy)


def load(file: Path) -> Config:
    """Read the configuration file. Raises ConfigInvalid naming the section and key."""
    return parse(read(file))


def read(file: Path) -> bytes:
    """The bytes of a configuration file, as far as `parse` would look. Raises ConfigInvalid."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigInvalid(f"{file.name} cannot be read: {error.strerror}") from error


def parse(data: bytes) -> Config:
    """The configuration in the bytes of a TOML file; what is not set has its default. Raises ConfigInvalid."""
    return of_tables(tables(data))


def of_tables(found: Mapping[str, object]) -> Config:
    """The configuration in these tables; what is not set has its default. Raises ConfigInvalid."""
    return _section(Config, {key: value for key, value in found.items() if key not in _OTHERS}, "")


def tables(data: bytes) -> Mapping[str, object]:
    """The tables of a TOML file of settings, not judged yet. Raises ConfigInvalid."""
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigInvalid(f"the configuration is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        return tomllib.loads(data.decode())
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigInvalid(f"the configuration is not TOML: {error}") from error


_Section = TypeVar("_Section")


def _section(kind: type[_Section], table: Mapping[str, object], where: str) -> _Section:
    """A settings dataclass from its table; where: the table's name with a dot, empty for the file itself."""
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]  # only called with dataclasses
    for name in table:
        if name not in known:
            raise ConfigInvalid(_unknown(where + name, name, known if where else [*known, *_OTHERS]))
    try:
        return kind(**{name: _value(hints[name], value, where + name) for name, value in table.items()})
    except ValueError as error:
        raise ConfigInvalid(f"[{where.rstrip('.')}] {error}") from error


def _unknown(path: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown setting {path}" + (f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}")


def _value(hint: object, value: object, path: str) -> object:
    """One value as its annotated type; TOML's own types are taken as they are, a whole number is also a float."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigInvalid(f"{path} must be a list, not {value!r}")
        return tuple(_value(get_args(hint)[0], item, f"{path}[{place}]") for place, item in enumerate(value))
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if not isinstance(hint, type):
        raise TypeError(f"setting {path} has a type that the configuration cannot hold")
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigInvalid(f"{path} must be a table: [{path}]")
        return _section(hint, value, path + ".")
    if issubclass(hint, StrEnum):
        if value not in list(hint):
            raise ConfigInvalid(f"{path} must be one of {', '.join(hint)}, not {value!r}")
        return hint(str(value))
    return _plain(hint, value, path)


def _plain(hint: type, value: object, path: str) -> object:
    if hint is float and type(value) is int:
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value).expanduser()
    if type(value) is not hint or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigInvalid(f"{path} must be {_NAMES[hint]}, not {value!r}")
    return value


_NAMES: Mapping[type, str] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    Path: "a path",
    str: "a text",
}
