"""The log keeps ids and loses persons."""

import logging
import os
import re
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance import logs
from appliance.core.errors import LogUnwritable
from appliance.core.iin import Iin
from appliance.core.types import Embedding, PackDigest

IIN = "900101300017"
log = logging.getLogger("appliance.trial")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A started log's file."""
    path = tmp_path / "log" / "desk.log"
    logs.start(path, "DEBUG", stream=StringIO())
    yield path
    logs.stop()


def test_a_full_number_never_reaches_the_file(file: Path) -> None:
    """Message, argument, exception text and mapping arguments: twelve digits are masked everywhere."""
    log.debug("iin %s", IIN)
    log.debug(f"iin {IIN} and {IIN[:6]} {IIN[6:]} and {IIN[:6]}-{IIN[6:]}")  # noqa: G004  # the fault this guards against
    log.debug("iin %(iin)s", {"iin": IIN})
    log.debug("nested %s", [("a", IIN)])
    try:
        int(IIN + "x")
    except ValueError:
        log.exception("failed")
    text = file.read_text()
    assert IIN not in text
    assert IIN[6:] not in text
    assert text.count("•" * 12) == 7


@given(before=st.text(max_size=5), number=st.from_regex(r"[0-9]{12}", fullmatch=True), after=st.text(max_size=5))
def test_masking_leaves_no_number_whatever_stands_around_it(before: str, number: str, after: str) -> None:
    """No text around a number lets it through, unless the two make an id; see below."""
    text = before + number + after
    assume(not re.search("[0-9a-f]{16}", text))
    assert number not in logs.mask(text)


def test_ids_and_digests_stay_readable(file: Path) -> None:
    """A hex digest may hold twelve digits in a row; without it an event could not be found."""
    digest = "123456789012ab" + "0" * 50
    log.info("event %s of pack %s", digest, "0123456789012a3f")
    assert digest in file.read_text()
    assert "0123456789012a3f" in file.read_text()


def test_what_holds_a_face_or_a_number_is_shown_by_its_type(file: Path) -> None:
    """Sensitive values, arrays and bytes as arguments or as the message itself."""
    vector = np.full(128, 0.088388346, np.float32)
    log.info("got %s %s %s %s", Embedding(vector, PackDigest("ab")), vector, b"secret", Iin(IIN))
    log.info(Iin(IIN))
    text = file.read_text()
    assert "<Embedding redacted> <array (128,)> <6 bytes> <Iin redacted>" in text
    assert "0.088" not in text
    assert "0017" not in text
    assert "secret" not in text


def test_a_record_carries_utc_and_its_origin(file: Path) -> None:
    """One line: RFC 3339 in UTC, level, process, logger, message."""
    log.warning("the disk is slow")
    line = file.read_text().strip()
    assert line.endswith(f"WARNING {os.getpid()} appliance.trial: the disk is slow")
    assert line[10] == "T"
    assert line.split()[0].endswith("Z")


def test_the_terminal_shows_warnings_only(tmp_path: Path) -> None:
    """The file is for the technician, the terminal for what needs a person now."""
    terminal = StringIO()
    logs.start(tmp_path / "desk.log", "DEBUG", stream=terminal)
    try:
        log.info("quiet")
        log.warning("loud %s", IIN)
    finally:
        logs.stop()
    assert "quiet" not in terminal.getvalue()
    assert "loud ••••" in terminal.getvalue()


def test_only_the_owner_reads_the_log(file: Path) -> None:
    """Folder and file are closed to other users of the machine, after rotation too."""
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs.LogFile))
    handler.doRollover()
    log.info("new file")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [stat.S_IMODE(p.stat().st_mode) for p in file.parent.iterdir()] == [0o600, 0o600]


def test_the_log_cannot_fill_the_disk(tmp_path: Path) -> None:
    """Old files are dropped: no more than OLD_FILES + 1 of them, each within the cap."""
    path = tmp_path / "desk.log"
    logs.start(path, "DEBUG", stream=StringIO())
    try:
        handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs.LogFile))
        handler.maxBytes = 2000
        for number in range(1000):
            log.info("line %d", number)
    finally:
        logs.stop()
    files = list(tmp_path.iterdir())
    assert len(files) == logs.OLD_FILES + 1
    assert max(f.stat().st_size for f in files) <= 2000


def test_a_full_disk_drops_lines_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """/dev/full answers every write with ENOSPC: no exception, no trace on the terminal."""
    logs.start(Path("/dev/full"), "DEBUG", stream=StringIO())
    try:
        log.info("lost")
    finally:
        logs.stop()
    assert capsys.readouterr().err == ""


def test_a_wrong_log_call_is_a_bug_and_is_seen(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the disk's failures are dropped; a message that does not fit its arguments is shown, without the person."""
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs.LogFile))
    handler.handle(logging.LogRecord("appliance.trial", logging.INFO, __file__, 1, "%d", (IIN,), None))
    shown = capsys.readouterr().err
    assert "Logging error" in shown
    assert IIN not in shown
    assert file.read_text() == ""


def test_a_command_without_a_desk_logs_to_the_terminal_only() -> None:
    """No file is a choice: `keldim models list` has no desk to log in."""
    terminal = StringIO()
    logs.start(None, "INFO", stream=terminal)
    try:
        log.error("seen")
    finally:
        logs.stop()
    assert "seen" in terminal.getvalue()


def test_an_unwritable_place_is_a_known_failure(tmp_path: Path) -> None:
    """A file where the folder should be: the failure has a remedy and names no path."""
    (tmp_path / "log").write_text("")
    with pytest.raises(LogUnwritable) as raised:
        logs.start(tmp_path / "log" / "desk.log", "INFO")
    assert raised.value.remedy
    assert str(tmp_path) not in str(raised.value)


def test_starting_again_replaces_what_was_there(tmp_path: Path) -> None:
    """Twice started, once written; after stop nothing of ours is left at the root logger."""
    before = list(logging.getLogger().handlers)
    logs.start(tmp_path / "a.log", "INFO", stream=StringIO())
    logs.start(tmp_path / "b.log", "INFO", stream=StringIO())
    log.warning("once")
    logs.stop()
    assert (tmp_path / "a.log").read_text() == ""
    assert (tmp_path / "b.log").read_text().count("once") == 1
    assert logging.getLogger().handlers == before
