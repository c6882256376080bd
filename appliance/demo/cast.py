"""Who comes to the demonstration clinic: faces from pictures inside installed packages, invented names and numbers.

Nothing is copied into the project: the pictures are read where their packages keep them. The names are invented; the
IINs belong to nobody, since their birth dates lie in the 1800s. How the people look in a frame is the scene's.
"""

import importlib.resources
from dataclasses import dataclass
from pathlib import Path

from appliance.capture.picture import read_image
from appliance.capture.scene_portrait import Portrait, crop_person
from appliance.core.errors import ImageUnreadable
from appliance.core.iin import Iin, check_digit
from appliance.core.ports import Observer
from appliance.core.types import Face, Frame, Instant, Sensitive
from appliance.records.profile import Profile
from appliance.texts import Language


@dataclass(frozen=True, slots=True)
class Picture:
    """package, path: where the picture lies. place: which face, counted from the left."""

    package: str
    path: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """key: short name used in scripts. born, serial: make the invented IIN. service: what the patient comes for."""

    key: str
    name: str
    language: Language
    born: str
    serial: str
    picture: Picture
    service: tuple[str, str, str, str]
    room: str
    provider: str

    @property
    def iin(self) -> Iin:
        """The invented number with its right check digit."""
        eleven = self.born + self.serial
        return Iin(eleven + str(check_digit(eleven)))

    @property
    def profile(self) -> Profile:
        """As the receptionist would read it from the document."""
        given, _, family = self.name.partition(" ")
        return Profile(given, family, self.iin, self.language.value)


_GROUP = "insightface", "data/images/t1.jpg"
_THERAPIST = ("A02.004", "Терапевттің қабылдауы", "Приём терапевта", "General practitioner")
_CARDIOLOGIST = ("A02.015", "Кардиологтың қабылдауы", "Приём кардиолога", "Cardiologist")
_BLOOD = ("B02.110", "Жалпы қан талдауы", "Общий анализ крови", "Blood count")
_ECG = ("C03.001", "Электрокардиограмма", "Электрокардиограмма", "Electrocardiogram")
_KK, _RU, _EN = Language.KAZAKH, Language.RUSSIAN, Language.ENGLISH

PATIENTS = (
    Role("aigul", "Айгүл Серікова", _KK, "880314", "20001", Picture(*_GROUP, 0), _THERAPIST, "12", "d-011"),
    Role("bolat", "Болат Ахметов", _KK, "850702", "10002", Picture(*_GROUP, 1), _BLOOD, "3", "d-027"),
    Role("daria", "Дарья Волкова", _RU, "910125", "20003", Picture(*_GROUP, 2), _CARDIOLOGIST, "14", "d-015"),
    Role("erlan", "Ерлан Жұмабаев", _KK, "871111", "10004", Picture(*_GROUP, 3), _THERAPIST, "12", "d-011"),
    Role("gulnar", "Гүлнар Омарова", _RU, "890930", "20005", Picture(*_GROUP, 4), _ECG, "7", "d-031"),
    Role("ivan", "Иван Петров", _RU, "860518", "10006", Picture(*_GROUP, 5), _THERAPIST, "12", "d-011"),
    Role("ellen", "Ellen Carter", _EN, "900404", "20007", Picture("skimage", "data/astronaut.png"), _ECG, "7", "d-031"),
)
"""The enrolled patients, each with one service today."""

STRANGER = Picture("insightface", "data/images/Tom_Hanks_54745.png")
"""Somebody who is not enrolled."""


@dataclass(frozen=True, slots=True, repr=False)
class Model(Sensitive):
    """A real photo of one person: the picture as enrolment sees it, and the cut-out that the scene moves."""

    photo: Frame
    face: Face
    portrait: Portrait


def locate(picture: Picture) -> Path:
    """The picture's file. Raises ImageUnreadable when its package is not installed."""
    try:
        folder = importlib.resources.files(picture.package)
    except ModuleNotFoundError as error:
        raise ImageUnreadable(f"the package {picture.package}, which holds a picture, is not installed") from error
    return Path(str(folder.joinpath(picture.path)))


def photograph(picture: Picture, observer: Observer) -> Model:
    """Find the person in the picture. Raises ImageUnreadable when the picture or the face is not there."""
    pixels = read_image(locate(picture))
    frame = Frame(pixels, Instant(0.0), picture.package, 0)
    faces = sorted(observer.observe(frame).faces, key=lambda face: face.box.x)
    if picture.place >= len(faces):
        raise ImageUnreadable(f"{picture.path} of {picture.package} shows {len(faces)} faces, not {picture.place + 1}")
    face = faces[picture.place]
    return Model(frame, face, crop_person(pixels, face.landmarks))
