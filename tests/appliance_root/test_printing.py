"""What CUPS says, through commands that take the place of its own."""

from pathlib import Path

import pytest

from appliance.core.errors import PrinterFailed
from appliance.printing import list_printers, print_document, print_text


@pytest.fixture
def cups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only one where commands are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def command(folder: Path, name: str, script: str) -> None:
    """A command of this name."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_printers_are_listed_the_default_one_first(cups: Path) -> None:
    """As `lpstat -e` and `lpstat -d` tell them."""
    said = 'if [ "$1" = -e ]; then echo Office; echo Receipts; else echo "system default destination: Receipts"; fi'
    command(cups, "lpstat", said)
    assert list_printers() == ("Receipts", "Office")


@pytest.mark.parametrize("script", ["exit 1", "echo 'no system default destination'; exit 1", "true"])
def test_where_cups_does_not_answer_there_is_no_printer(cups: Path, script: str) -> None:
    """Nor where it is not installed: the receipt is shown on the screen."""
    assert list_printers() == ()
    command(cups, "lpstat", script)
    assert list_printers() == ()


def test_a_page_is_handed_over(cups: Path, tmp_path: Path) -> None:
    """To the printer that was named, as text."""
    command(cups, "lp", f'echo "$@" > {tmp_path}/said; while read -r line; do echo "$line" >> {tmp_path}/said; done')
    print_text("Receipts", "Қош келдіңіз!\n")
    assert (tmp_path / "said").read_text() == "-d Receipts -t Keldim -- -\nҚош келдіңіз!\n"


def test_a_printer_that_takes_nothing_is_a_known_failure(cups: Path) -> None:
    """Not installed, or refused."""
    with pytest.raises(PrinterFailed, match="not installed"):
        print_text("Receipts", "a")
    command(cups, "lp", "exit 3")
    with pytest.raises(PrinterFailed, match="code 3"):
        print_text("Receipts", "a")


def test_a_document_is_handed_over_as_it_is(cups: Path, tmp_path: Path) -> None:
    """Bytes of a PDF, through the pipe."""
    command(cups, "lp", f'while IFS= read -r line; do echo "$line" >> {tmp_path}/said; done')
    print_document("Receipts", b"%PDF-1.4\n%%EOF\n")
    assert (tmp_path / "said").read_bytes() == b"%PDF-1.4\n%%EOF\n"
