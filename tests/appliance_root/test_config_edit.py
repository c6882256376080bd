"""Another pack is put into the settings file; everything else in it stays, byte for byte."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import parse
from appliance.config_edit import with_packs, write_packs
from appliance.core.errors import ConfigInvalid

WHOLE = """# our desk
[device]
device = "desk-1"

[pack]  # models
# the old one was slower
name = "builtin"   # since May
folder = "/srv/packs"

[policy.migration]
retire_share = 0.9
"""


def test_only_the_packs_change() -> None:
    """Comments, order, blank lines and the other settings are as they were."""
    changed = with_packs(WHOLE.encode(), "open", ("builtin",)).decode()
    assert changed == WHOLE.replace('"builtin"   # since', '"open"   # since').replace(
        "[pack]  # models\n", '[pack]  # models\nprevious = ["builtin"]\n'
    )
    pack = parse(changed.encode()).pack
    assert (pack.name, pack.previous) == ("open", ("builtin",))


def test_what_was_set_is_set_back() -> None:
    """There and back again gives the first text; an empty list of previous packs leaves no line."""
    moved = with_packs(WHOLE.encode(), "open", ("builtin",))
    longer = with_packs(moved, "edge", ("open", "builtin"))
    assert parse(longer).pack.previous == ("open", "builtin")
    assert with_packs(longer, "builtin", ()).decode() == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[desk]\nlanguage = 'ru'\n",
        "[desk]\nlanguage = 'ru'",
        "[pack]\n",
        "[pack]\nfolder = 'x'\n",
        "\r\n[pack]\r\n",
    ],
)
def test_a_file_without_the_settings_gets_them(text: str) -> None:
    """The section or its lines are added; the rest is kept."""
    changed = with_packs(text.encode(), "open", ("builtin",))
    pack = parse(changed).pack
    assert (pack.name, pack.previous) == ("open", ("builtin",))
    assert all(line in changed.decode() for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        'pack = { name = "builtin" }\n',
        'pack.name = "builtin"\n',
        '[pack]\nprevious = [\n  "a",\n  "b",\n]\n',
        '[pack]\n"name" = "builtin"\n',
    ],
)
def test_a_section_in_another_form_is_left_alone(text: str) -> None:
    """Never a broken file: the operator is asked to edit it by hand."""
    with pytest.raises(ConfigInvalid, match="by hand"):
        with_packs(text.encode(), "open", ("builtin",))


def test_a_settings_file_that_is_wrong_already_is_not_made_worse() -> None:
    """Its own fault is told first."""
    with pytest.raises(ConfigInvalid, match="unknown setting"):
        with_packs(b"[pack]\nnme = 'x'\n", "open", ())


_NAMES = st.text("abc-019", min_size=1, max_size=8)


@given(_NAMES, st.lists(_NAMES, max_size=3, unique=True), st.booleans())
def test_whatever_is_written_is_read(name: str, others: list[str], windows: bool) -> None:
    """Any names, either kind of line end."""
    previous = tuple(other for other in others if other != name)
    text = WHOLE.replace("\n", "\r\n") if windows else WHOLE
    changed = with_packs(text.encode(), name, previous)
    pack = parse(changed).pack
    assert (pack.name, pack.previous, pack.folder) == (name, previous, Path("/srv/packs"))
    assert (b"\r\n" in changed) == windows
    assert with_packs(changed, name, previous) == changed


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing stays beside it; a file that cannot be read is a known failure."""
    file = tmp_path / "keldim.toml"
    file.write_text(WHOLE)
    write_packs(file, "open", ())
    assert parse(file.read_bytes()).pack.name == "open"
    assert [path.name for path in tmp_path.iterdir()] == ["keldim.toml"]
    with pytest.raises(ConfigInvalid, match="cannot be written"):
        write_packs(tmp_path / "missing.toml", "open", ())
