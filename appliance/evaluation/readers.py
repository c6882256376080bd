"""Finds evaluation sets in a folder and reads their layout: LFW, NUAA, replay clips, one folder for each person.

What is in the pictures is not looked at here. A layout nobody knows is told with the ones that are known.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from appliance.core.errors import DatasetUnknown
from appliance.evaluation.datasets import Clip, DataSet, Picture, Species, StandardPair, Subject

PICTURES = frozenset({".jpg", ".jpeg", ".png"})
CLIPS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm"})

LAYOUTS = """one of
  lfw      images/PERSON/*.jpg, with pairs.txt and label_noise.json where they are there
  people   PERSON/*.jpg or *.png, one folder for each person; of several days PERSON/session-1/*.jpg ...
  nuaa     ClientRaw/ID/*.jpg and ImposterRaw/ID/*.jpg, files named ID_glasses_place_session_number.jpg
  replay   *_real.mp4 and *_fake.mp4, or live/*.mp4 and attack/TYPE/*.mp4
or a folder that holds several of them"""

_NUAA_NAME = re.compile(r"(\d+)_(\d+)_(\d+)_(\d+)_(\d+)")
_DESCRIPTIONS = {
    "lfw": "Press photos of public figures, mostly Western, all poses and years; known label errors removed",
    "casia-facev5": (
        "East Asian people at one indoor camera, with changes of pose and glasses; faces, camera and background are "
        "alike"
    ),
    "nuaa": (
        "East Asian adults at a webcam of 640x480 in several sessions with changing light and glasses; very few "
        "people, so that single pairs weigh much"
    ),
    "replay": "Recordings of living people and of screens showing them",
}
_NAMES = {"casia": "casia-facev5"}


def read_sets(folder: Path) -> tuple[DataSet, ...]:
    """The sets in a folder, in order of name: the folder is one, or holds several. Raises DatasetUnknown."""
    if not folder.is_dir():
        raise DatasetUnknown(f"{folder}: no such folder")
    own = _read(folder)
    if own is not None:
        return (own,)
    found = tuple(read for sub in _folders(folder) if (read := _read(sub)) is not None)
    if not found:
        raise DatasetUnknown(f"{folder.name}: no known layout; expected {LAYOUTS}")
    return found


def _read(folder: Path) -> DataSet | None:
    for reader in (_lfw, _nuaa, _replay, _people):
        found = reader(folder)
        if found is not None:
            return found
    return None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(folder: Path, kinds: frozenset[str]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in kinds)


def _name(folder: Path) -> str:
    plain = re.sub(r"[^a-z0-9._-]", "-", folder.resolve().name.lower()).strip("-._")[:60] or "set"
    return _NAMES.get(plain, plain)


def _described(name: str) -> str:
    return _DESCRIPTIONS.get(name, f"Pictures of the set {name}")


def _people(folder: Path, name: str | None = None, subject: Subject = Subject.LARGEST) -> DataSet | None:
    """One folder for each person. None unless two people have pictures."""
    groups = [group for path in _folders(folder) if (group := _one_person(path))]
    if len(groups) < 2 or _files(folder, PICTURES | CLIPS):
        return None
    called = name or _name(folder)
    pictures = tuple(replace(picture, person=number) for number, of in enumerate(groups) for picture in of)
    return DataSet(called, _described(called), subject, len(groups), pictures)


def _one_person(folder: Path) -> list[Picture]:
    """The pictures of one person; those in `session-...` folders are of that session."""
    days = [path for path in _folders(folder) if path.name.startswith("session-")]
    sessions = [(path, str(number)) for number, path in enumerate(days, 1)]
    return [Picture(file, 0, session) for path, session in ((folder, ""), *sessions) for file in _files(path, PICTURES)]


def _lfw(folder: Path) -> DataSet | None:
    images = folder / "images"
    if not images.is_dir() or not (folder / "pairs.txt").is_file():
        return None
    plain = _people(images, _name(folder), Subject.MIDDLE)
    if plain is None:
        return None
    persons = {path.name: number for number, path in enumerate(p for p in _folders(images) if _files(p, PICTURES))}
    places = {picture.path.stem: place for place, picture in enumerate(plain.pictures)}
    pairs, absent = _pairs(folder / "pairs.txt", places)
    noise, same = _noise(folder / "label_noise.json", places, persons)
    merged = _merged(plain.people, same)
    pictures = tuple(replace(picture, person=merged[picture.person]) for picture in plain.pictures)
    return replace(plain, people=len(set(merged)), pictures=pictures, noise=noise, pairs=pairs, absent=absent)


def _merged(people: int, same: tuple[tuple[int, int], ...]) -> list[int]:
    """The number of each person when those who are known to be one share the lowest of theirs."""
    merged = list(range(people))
    for one, other in same:
        low, high = sorted((merged[one], merged[other]))
        merged = [low if number == high else number for number in merged]
    return merged


def _pairs(path: Path, places: dict[str, int]) -> tuple[tuple[StandardPair, ...], int]:
    """LFW's pairs.txt: `name i j` or `name i name j`, folds of matched and then mismatched pairs, one after another.

    A fold begins where a matched pair follows a mismatched one, so that a part of the list keeps its folds.
    """
    found: list[StandardPair] = []
    absent, fold, before = 0, 0, True
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = text.split("\t") if "\t" in text else text.split()
        if number == 1 and all(field.isdigit() for field in row):
            continue  # the head of the full list: folds and pairs in a fold
        if len(row) not in (3, 4):
            raise DatasetUnknown(f"{path.name}: line {number} is neither `name i j` nor `name i name j`")
        same = len(row) == 3
        fold += same and not before
        before = same
        one, other = (row[0], row[1]), (row[0] if same else row[2], row[-1])
        at = [places.get(f"{name}_{int(index):04d}") if index.isdigit() else None for name, index in (one, other)]
        if at[0] is None or at[1] is None:
            absent += 1
        else:
            found.append(StandardPair(at[0], at[1], same, fold))
    return tuple(found), absent


def _noise(
    path: Path, places: dict[str, int], persons: dict[str, int]
) -> tuple[frozenset[int], tuple[tuple[int, int], ...]]:
    """Known label errors: places of pictures to leave out, and people of two folders who are one."""
    if not path.is_file():
        return frozenset(), ()
    try:
        told = dict(json.loads(path.read_text(encoding="utf-8")).items())
        drop = [str(stem) for key in sorted(told) if key.startswith("drop_images") for stem in told[key]]
        same = [(str(a), str(b)) for key in sorted(told) if key.startswith("same_person") for a, b in told[key]]
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetUnknown(f"{path.name}: not a list of label errors") from error
    return (
        frozenset(places[stem] for stem in drop if stem in places),
        tuple((persons[a], persons[b]) for a, b in same if a in persons and b in persons),
    )


def _nuaa(folder: Path) -> DataSet | None:
    roots = {Species.LIVE: folder / "ClientRaw", Species.PRINT: folder / "ImposterRaw"}
    if not all(root.is_dir() for root in roots.values()):
        return None
    ids = sorted({sub.name for root in roots.values() for sub in _folders(root)})
    person = {name: number for number, name in enumerate(ids)}
    pictures = [
        _nuaa_picture(file, person[sub.name], species)
        for species, root in roots.items()
        for sub in _folders(root)
        for file in _files(sub, PICTURES)
    ]
    pictures.sort(key=lambda picture: (picture.species.attack, picture.person, picture.session, picture.order))
    name = _name(folder)
    return DataSet(name, _described(name), Subject.LARGEST, len(ids), tuple(pictures))


def _nuaa_picture(file: Path, person: int, species: Species) -> Picture:
    named = _NUAA_NAME.fullmatch(file.stem)
    if named is None:
        raise DatasetUnknown(f"{file.name}: not named ID_glasses_place_session_number")
    return Picture(file, person, session=named[4], order=int(named[5]), species=species)


def _replay(folder: Path) -> DataSet | None:
    clips = [*_named_clips(folder), *_filed_clips(folder)]
    if not clips:
        return None
    name = _name(folder)
    return DataSet(name, _described(name), Subject.LARGEST, 0, clips=tuple(clips))


def _named_clips(folder: Path) -> Iterator[Clip]:
    """Sessions are numbers: a file may be named after somebody."""
    for number, file in enumerate(_files(folder, CLIPS), 1):
        if file.stem.endswith("_real"):
            yield Clip(file, Species.LIVE, str(number))
        elif file.stem.endswith("_fake"):
            yield Clip(file, Species.REPLAY, str(number))
        else:
            raise DatasetUnknown(f"{file.name}: ends neither in _real nor in _fake")


def _filed_clips(folder: Path) -> Iterator[Clip]:
    if (folder / "live").is_dir():
        yield from (Clip(file, Species.LIVE, str(n)) for n, file in enumerate(_files(folder / "live", CLIPS), 1))
    if (folder / "attack").is_dir():
        for sub in _folders(folder / "attack"):
            species = Species(sub.name.lower()) if sub.name.lower() in _ATTACKS else Species.OTHER
            yield from (Clip(file, species, str(n)) for n, file in enumerate(_files(sub, CLIPS), 1))


_ATTACKS = frozenset(species.value for species in Species if species.attack)
