"""What the command writes for people: text that came from outside stays text."""

import pytest

from appliance.cli.output import say, table, warn

HOSTILE = "x\x1b]0;a title\x07\x1b[2J\x9b31m\x7fy"
"""Sets a terminal's title, empties its screen, colours what follows, in both ways to begin such a sequence."""


def test_what_a_desk_signed_is_no_command_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A desk chose its ring's name, its program's version, its kinds of events: officers read them in a terminal."""
    say(f"{HOSTILE}\nsecond line\twith a tab, Қазақша [not markup]")
    warn(HOSTILE)
    table("", ("column",), [(HOSTILE,)])
    shown = capsys.readouterr()
    assert "second line" in shown.out
    assert "Қазақша [not markup]" in shown.out
    for text in (shown.out, shown.err):
        assert not {sign for sign in text if sign != "\n" and not sign.isprintable()}
        assert "\ufffd[2J" in text
