"""What leaves the clinic holds the program's own words, short numbers, and nothing else."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.scrub import GONE, Scrubber, program_words
from tests.fakes.patients import make_embedding, make_iin

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    "line",
    [
        "out of service: E-CAM-01",
        "the visit was not recorded: E-DB-02",
        'File "appliance/station.py", line 123, in _record_visit',
        "CameraUnavailable: no frame within 2.5 seconds",
        "hold + gates_passed -> align, 17 events, 3 waiting",
        "between 0.5 and 2.25 s, 3, 4",
        "camera 046d:0825: the driver did not return within 5 s",
    ],
)
def test_what_the_program_says_stays(line: str) -> None:
    """A trace and a log line can be read by who helps."""
    assert SCRUBBER.text(line) == line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("refused Айгүл Серікова", "Айгүл"),
        ("refused Aigul Serikova", "Serikova"),
        ("refused SERIKOVA", "SERIKOVA"),
        ("name=Bolat_Akhmetov", "Akhmetov"),
        (f"iin {make_iin(1).digits}", make_iin(1).digits),
        (f"iin {make_iin(1).digits[:6]} {make_iin(1).digits[6:]}", make_iin(1).digits[6:]),
        ("iin 9001 0130 0017", "9001"),
        ("iin 9001:0130:0017", "0130"),
        ("born 900101", "900101"),
        ("born 1990-01-31 here", "1990"),
        ("born 31.01.1990", "31.01"),
        ("call +7 701 123 45 67", "701"),
        ("call 8(701)1234567", "1234567"),
        ("from 192.168.10.7", "192.168"),
        ("rtsp://admin:Hunter22@10.0.0.5/stream", "Hunter22"),
        ("rtsp://camera:password@camera/", "password"),
        ("camera.allow must be a list, not 'camera frame'", "frame"),
        ("/srv/zhanna/keldim", "zhanna"),
    ],
)
def test_what_somebody_else_wrote_goes(text: str, secret: str) -> None:
    """Names in any script, numbers of documents and telephones, passwords, dates, addresses."""
    assert secret not in SCRUBBER.text(text)
    assert GONE in SCRUBBER.text(text)


def test_an_embedding_goes_however_it_is_written() -> None:
    """As numbers, as hexadecimal, as base64: no eight characters in a row are left."""
    vector = make_embedding(1).vector
    for written in (
        str(vector.tolist()),
        np.array2string(vector, threshold=10_000),
        vector.tobytes().hex(),
        base64.b64encode(vector.tobytes()).decode(),
    ):
        left = SCRUBBER.text(f"probe {written}")
        assert not any(written[at : at + 8] in left for at in range(len(written) - 8))


def test_of_a_key_in_hexadecimal_no_more_is_left_than_of_a_digest() -> None:
    """Eight digits name an event to who has it; they open nothing."""
    key = bytes(range(160, 192)).hex()
    assert SCRUBBER.text(f"event {key}") == f"event {key[:8]}…"
    assert SCRUBBER.text("pack 0123456789ab") == "pack 01234567…"
    assert SCRUBBER.text("iin 900101300017") == f"iin {GONE}", "twelve digits are no digest"


def test_a_name_that_is_a_word_of_the_program_goes_where_it_is_known() -> None:
    """Mark Frame is a patient like any other."""
    assert "frame" in program_words()
    assert SCRUBBER.text("a frame") == "a frame"
    assert Scrubber(["Mark Frame"]).text("mark: no frame, Frame") == f"{GONE}: no {GONE}, {GONE}"


def test_the_patients_of_the_demonstration_are_no_vocabulary() -> None:
    """They have Latin names too, and are treated as the clinic's."""
    assert not {"ellen", "carter", "hanks"} & program_words()


@given(st.text(st.characters(categories=["Lo", "Ll", "Lu"], min_codepoint=0x100), min_size=2, max_size=20))
def test_no_word_of_another_script_stays(name: str) -> None:
    """Whatever it is: the program's source is English."""
    assert SCRUBBER.text(f"person {name}") == f"person {GONE}"


@given(st.integers(100_000, 10**20))
def test_no_long_number_stays(number: int) -> None:
    """Alone, and glued to a word."""
    assert SCRUBBER.text(f"person {number}") == f"person {GONE}"
    assert str(number) not in SCRUBBER.text(f"person{number}")
