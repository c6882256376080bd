"""The gate before packs that are not for every use: somebody at the keyboard is asked, and only a yes is one."""

import io
from pathlib import Path

import pytest

from appliance.cli.licence_gate import pass_gate
from models.acceptance import Acceptances
from models.errors import LicenceNotAccepted
from models.recipes.recipe import load


class Keyboard(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n"])
def test_everything_but_yes_is_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Refused, and nothing is kept."""
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    with pytest.raises(LicenceNotAccepted, match="were not accepted"):
        pass_gate(load("edge"), tmp_path, accepted=False)
    assert list(tmp_path.iterdir()) == []


def test_a_yes_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After the texts were shown; the next time nobody is asked."""
    monkeypatch.setattr("sys.stdin", Keyboard("y\n"))
    pass_gate(load("edge"), tmp_path, accepted=False)
    assert "NON-COMMERCIAL RESEARCH ONLY" in capsys.readouterr().out
    assert len(Acceptances(tmp_path).read()) == 2
    monkeypatch.setattr("sys.stdin", Keyboard(""))
    pass_gate(load("edge"), tmp_path, accepted=False)


def test_a_pack_for_every_use_asks_nothing(tmp_path: Path) -> None:
    """And leaves no file."""
    pass_gate(load("open"), tmp_path, accepted=False)
    assert list(tmp_path.iterdir()) == []
