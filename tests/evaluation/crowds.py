"""Drawn sets of invented people: eighty with four looks, and a few before a camera with prints of their faces."""

from pathlib import Path

from tests.evaluation.eyes import draw

PEOPLE, LOOKS = 80, 4
SECRET = "Aigerim_Sekretova"
"""What folders of people are named after; it must not leave the process."""


def draw_crowd(root: Path) -> Path:
    """`people`: one folder each. `nuaa`: five people, two sessions of ten frames, and as many of a print of them."""
    for person in range(PEOPLE):
        for look in range(LOOKS):
            draw(root / "people" / f"{SECRET}_{person:03d}" / f"{look}.png", person, look)
    for person in range(5):
        for session in (1, 2):
            for number in range(10):
                name = f"{person:04d}_00_01_{session:02d}_{number}.png"
                draw(root / "nuaa" / "ClientRaw" / f"{person:04d}" / name, 200 + person, number, live=240 - number)
                draw(root / "nuaa" / "ImposterRaw" / f"{person:04d}" / name, 200 + person, number, live=5 + number)
    return root
