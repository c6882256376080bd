"""One snapshot of every state that the patient's window can show, with the longest words we know of.

For whoever reads the translations, for the demonstration and for the tests: nobody in here exists.
"""

import numpy as np

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.snapshot import Offer, Snapshot
from appliance.core.types import Cue, Frame, Instant
from appliance.opencv import cv2

NOW = Instant(0.0)
FACE = (0.42, 0.2, 0.16, 0.3)
RECEIPT = "0f3a9b2c11112222333344445555ffff"


def _offer(number: int, kk: str, ru: str, en: str, room: str = "214", doctor: str = "") -> Offer:
    names = (("kk", kk), ("ru", ru), ("en", en))
    return Offer(f"service-{number}", "A02.001", names, room, f"2026-11-26 1{number}:30", doctor=doctor)


GP = _offer(0, "Терапевт қабылдауы", "Приём терапевта", "Visit to the general practitioner", doctor="Ахметова С.")
ULTRASOUND = _offer(
    1,
    "Құрсақ қуысы ағзаларының кешенді ультрадыбыстық зерттеуі",
    "Комплексное ультразвуковое исследование органов брюшной полости",
    "Comprehensive ultrasound examination of the abdominal organs",
    doctor="Нұрмұхамбетқызы Ғ.",
)
ECG = _offer(2, "Электрокардиография", "Электрокардиография", "Electrocardiography", "012")
BLOOD = _offer(3, "Қан алу", "Забор крови", "Blood sample", "")

STATES: dict[str, Snapshot] = {
    "idle": Snapshot(NOW, State.IDLE),
    "align": Snapshot(NOW, State.ALIGN, face=FACE),
    "align_hint": Snapshot(NOW, State.ALIGN, hint=Hint.EVEN_LIGHT, face=FACE),
    "align_in_vain": Snapshot(NOW, State.ALIGN, hint=Hint.MASK_DOWN, face=FACE, pictured=True, in_vain=True),
    "align_lamp": Snapshot(NOW, State.ALIGN, hint=Hint.MORE_LIGHT, face=FACE, lamp=True),
    "hold": Snapshot(NOW, State.HOLD, progress=0.6, face=FACE),
    "challenge_left": Snapshot(NOW, State.CHALLENGE, cue=Cue.LEFT, progress=0.3, face=FACE),
    "challenge_dot": Snapshot(NOW, State.CHALLENGE, cue=Cue.DOT, dot=(0.7, 0.5), progress=0.5, face=FACE),
    "checking": Snapshot(NOW, State.CHECKING),
    "choose_two": Snapshot(NOW, State.CHOOSE, greeting="Айгүл Ә.", offers=(GP, ULTRASOUND)),
    "choose_four": Snapshot(NOW, State.CHOOSE, greeting="Айгүл Ә.", offers=(GP, ULTRASOUND, ECG, BLOOD)),
    "confirm": Snapshot(NOW, State.CONFIRM, greeting="Айгүл Ә.", offers=(GP,)),
    "confirm_long": Snapshot(NOW, State.CONFIRM, greeting="Нұрсұлтангүлжан Ғ.", offers=(ULTRASOUND,)),
    "still_there": Snapshot(NOW, State.STILL_THERE, seconds_left=13.0),
    "saving": Snapshot(NOW, State.SAVING),
    "receipt": Snapshot(NOW, State.RECEIPT, receipt=RECEIPT, seconds_left=9.2, offers=(ULTRASOUND,)),
    "already": Snapshot(NOW, State.ALREADY, receipt=RECEIPT, seconds_left=1.0, before="2026-11-26T10:31:00+05:00"),
    "no_service": Snapshot(NOW, State.NO_SERVICE),
    "too_early": Snapshot(NOW, State.TOO_EARLY, early="2026-11-26T14:30:00+05:00"),
    "not_recognised": Snapshot(NOW, State.NOT_RECOGNISED),
    "fallback": Snapshot(NOW, State.FALLBACK),
    "fallback_wrong": Snapshot(NOW, State.FALLBACK, wrong=1),
    "guardian": Snapshot(NOW, State.GUARDIAN, child="Ерасыл Т.", offers=(GP,)),
    "not_me": Snapshot(NOW, State.NOT_ME),
    "help": Snapshot(NOW, State.HELP, queue=2),
    "save_failed": Snapshot(NOW, State.SAVE_FAILED, failure="E-DB-02"),
    "leaving": Snapshot(NOW, State.LEAVING),
    "out_of_service": Snapshot(NOW, State.OUT_OF_SERVICE, failure="E-CAM-01"),
    "training": Snapshot(NOW, State.IDLE, training=True),
}


def drawn_person() -> Frame:
    """A face of circles before a wall, where `FACE` says."""
    pixels = np.full((720, 1280, 3), (96, 84, 72), np.uint8)
    cv2.ellipse(pixels, (640, 700), (260, 260), 0, 0, 360, (120, 70, 40), -1)
    cv2.ellipse(pixels, (640, 252), (100, 130), 0, 0, 360, (150, 180, 215), -1)
    for x in (600, 680):
        cv2.circle(pixels, (x, 230), 10, (40, 40, 40), -1)
    cv2.ellipse(pixels, (640, 310), (34, 12), 0, 0, 180, (80, 80, 160), 4)
    return Frame(pixels, NOW, "drawn", 0)
