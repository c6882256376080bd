"""Practising as a command: the whole way to a receipt, and nothing of it is kept."""

from pathlib import Path

from tests.cli.terminal import Clinic


def test_a_visit_of_practice_leaves_nothing(clinic: Clinic, film: Path) -> None:
    """It ends as a visit does, on the screen; the ledger has it only without the option."""
    before = clinic("ledger", "show", "--json").rows
    visit = ("checkin", "--video", film, "--confirm", "yes", "--once", "--json")
    practised = clinic(*visit, "--training")
    assert "Жаттығу" in practised.err
    assert clinic("ledger", "show", "--json").rows == before
    real = clinic(*visit)
    assert (real.code, real.rows[0]["state"]) == (practised.code, practised.rows[0]["state"])
    assert "Жаттығу" not in real.err
    assert len(clinic("ledger", "show", "--json").rows) == len(before) + 1


def test_enrolling_while_the_settings_say_training_keeps_nobody(clinic: Clinic, astronaut: Path, someone: str) -> None:
    """Told before anything else; an erasure is real all the same, because a withdrawal of consent always is."""
    config = clinic.home / "keldim.toml"
    settings = config.read_text()
    assert "[desk]\n" in settings
    config.write_text(settings.replace("[desk]\n", "[desk]\ntraining = true\n"))
    before = clinic("ledger", "show", "--json").rows
    name = ("--iin", someone, "--name", "Aigul Serikova", "--language", "en")
    told = clinic("enrol", "--photo", astronaut, "--consent", *name, "--json")
    assert "Жаттығу" in told.err
    assert clinic("ledger", "show", "--json").rows == before
    assert len(clinic("people", "--json").rows) == 1
