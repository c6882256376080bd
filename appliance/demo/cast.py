"""Who comes to the demonstration clinic: faces from pictures inside installed packages, invented names and numbers.

Nothing is copied into the project: the pictures are read where their packages keep them. The names are invented; the
IINs belong to nobody, since their birth dates lie in the 1800s, the child's in 2099. How the people look in a frame is
the scene's.
"""

import importlib.resources
from dataclasses import dataclass, field
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
class Errand:
    """A service, in the three languages, where it is given and by whom: code and name."""

    code: str
    kk: str
    ru: str
    en: str
    room: str
    provider: str
    doctor: str


@dataclass(frozen=True, slots=True)
class Person:
    """key: short name used in scripts. born, serial: make the invented IIN. errands: what the person comes for.

    code: that they were told, to check in without a face; empty for who was told none.
    """

    key: str
    name: str
    language: Language
    born: str
    serial: str
    errands: tuple[Errand, ...]
    code: str = ""

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


@dataclass(frozen=True, slots=True)
class Role(Person):
    """Somebody with a face, who is enrolled."""

    picture: Picture = field(kw_only=True)


_THERAPIST = Errand(
    "A02.004", "Терапевттің қабылдауы", "Приём терапевта", "General practitioner", "12", "d-011", "С. Ахметова"
)
_CARDIOLOGIST = Errand(
    "A02.015", "Кардиологтың қабылдауы", "Приём кардиолога", "Cardiologist", "14", "d-015", "Н. Каримов"
)
_BLOOD = Errand("B02.110", "Жалпы қан талдауы", "Общий анализ крови", "Blood count", "3", "d-027", "А. Нұрланқызы")
_ECG = Errand("C03.001", "Электрокардиограмма", "Электрокардиограмма", "Electrocardiogram", "7", "d-031", "Р. Ли")
_VACCINE = Errand(
    "A02.073", "Балаға екпе салу", "Прививка ребёнку", "Vaccination of a child", "5", "d-040", "Ж. Оспанова"
)
_KK, _RU, _EN = Language.KAZAKH, Language.RUSSIAN, Language.ENGLISH


def _in_group(place: int) -> Picture:
    return Picture("insightface", "data/images/t1.jpg", place)


_ASTRONAUT = Picture("skimage", "data/astronaut.png")

PATIENTS = (
    Role("aigul", "Айгүл Серікова", _KK, "880314", "20001", (_THERAPIST,), picture=_in_group(0)),
    Role("bolat", "Болат Ахметов", _KK, "850702", "10002", (_BLOOD,), picture=_in_group(1)),
    Role("daria", "Дарья Волкова", _RU, "910125", "20003", (_CARDIOLOGIST, _ECG), picture=_in_group(2)),
    Role("erlan", "Ерлан Жұмабаев", _KK, "871111", "10004", (_THERAPIST,), picture=_in_group(3)),
    Role("gulnar", "Гүлнар Омарова", _RU, "890930", "20005", (_ECG,), picture=_in_group(4)),
    Role("ivan", "Иван Петров", _RU, "860518", "10006", (_THERAPIST,), picture=_in_group(5)),
    Role("ellen", "Ellen Carter", _EN, "900404", "20007", (_ECG,), picture=_ASTRONAUT),
)
"""The enrolled patients, each with one service today, and one with two."""

CHILD = Person("miras", "Мирас Омаров", _KK, "990512", "50008", (_VACCINE,))
"""Known at the desk by name and number only, too young to be searched by face."""

GUARDIAN = "gulnar"
"""Who speaks for the child."""

UNSEEN = Person("saule", "Сәуле Нұрланова", _KK, "830621", "20009", (_BLOOD,), code="407218")
"""Never enrolled; has the code that the clinic sent with the appointment."""

EVERYBODY: tuple[Person, ...] = (*PATIENTS, CHILD, UNSEEN)
"""Who has an appointment today."""

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
