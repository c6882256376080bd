"""keldim.toml: strict, with a helpful answer to a typing error."""

import contextlib
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import config
from appliance.core.errors import ConfigInvalid
from appliance.core.policy import LivenessMode, Policy
from appliance.texts import Language


def test_an_empty_file_is_all_defaults() -> None:
    """Every setting has a default that suits a desk with one webcam."""
    assert config.parse(b"") == config.Config()


def test_what_is_set_arrives_typed() -> None:
    """Enums, paths, whole numbers for floats, nested tables."""
    read = config.parse(
        b'[desk]\nlanguage = "ru"\n[camera]\nwidth = 800\nallow = ["046d:0825", "046d:085e serial=7"]\n'
        b'streams = ["http://10.0.0.7/cam.mjpg"]\n[pack]\nfolder = "/packs"\n[log]\nlevel = "DEBUG"\n'
        b"[policy]\nfmr = 1e-5\n[policy.gate]\nmax_yaw = 20\n[policy.timing]\nanswer = 20.5\n"
        b'[policy.liveness]\nmode = "always_challenge"\n'
    )
    assert read.desk.language is Language.RUSSIAN
    assert read.camera.width == 800
    assert read.camera.streams == ("http://10.0.0.7/cam.mjpg",)
    assert [line.product for line in read.camera.allowed] == ["0825", "085e"]
    assert read.pack.folder == Path("/packs")
    assert read.log.level == "DEBUG"
    assert read.policy.fmr == 1e-5
    assert isinstance(read.policy.gate.max_yaw, float)
    assert read.policy.timing.answer == 20.5
    assert read.policy.liveness.mode is LivenessMode.ALWAYS_CHALLENGE
    assert read.policy.policy_id != Policy().policy_id


def test_the_sections_of_sync_are_left_to_it() -> None:
    """[device] and [fund] stand in the same file."""
    assert config.parse(b'[device]\ndevice = "d1"\n[fund]\nurl = "https://fund"\n') == config.Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[camrea]\nwidth = 800", "unknown setting camrea; did you mean camera?"),
        ("[fnud]\nurl = 1", "did you mean fund?"),
        ("[camera]\nwidht = 1", "unknown setting camera.widht; did you mean width?"),
        ("[desk]\nzzz = 1", "unknown setting desk.zzz; known here: language"),
        ("[policy.gate]\nmax_jaw = 1", "unknown setting policy.gate.max_jaw; did you mean max_yaw?"),
        ("[policy]\nthreshold = 0.5", "unknown setting policy.threshold"),
        ('[desk]\nlanguage = "de"', "desk.language must be one of kk, ru, en, not 'de'"),
        ("[desk]\nlanguage = 1", "desk.language must be one of kk, ru, en, not 1"),
        ("[camera]\nwidth = true", "camera.width must be a whole number, not True"),
        ("[camera]\nwidth = 1.5", "camera.width must be a whole number"),
        ("[camera]\nwidth = 3", "[camera] width and height"),
        ("[camera]\nrate = 0", "[camera] rate"),
        ('[camera]\nallow = "046d:0825"', "camera.allow must be a list, not '046d:0825'"),
        ("[camera]\nallow = [3]", "camera.allow[0] must be a text, not 3"),
        ('[camera]\nallow = ["webcam"]', "[camera] allow: 'webcam' must begin with vendor:product"),
        ('[pack]\nname = "../x"', "[pack] name must be the plain name"),
        ("[pack]\nfolder = 3", "pack.folder must be a path"),
        ('[pack]\nprevious = [".x"]', "[pack] previous must be the plain name"),
        ('[pack]\nname = "a"\nprevious = ["a"]', "[pack] previous must name other packs"),
        ("[policy.migration]\ncaution = 0", "[policy.migration] templates and caution"),
        ("[policy.migration]\nretire_share = 1.5", "[policy.migration] retire_share must be"),
        ('[policy.migration]\nretire_on = "soon"', "[policy.migration] Invalid isoformat"),
        ('[policy.liveness]\nmode = "never"', "policy.liveness.mode must be one of passive, passive_then_challenge"),
        ("[policy.liveness]\nleast_steps = 4", "[policy] policy least_steps must be at least 1"),
        ('[log]\nlevel = "TRACE"', "[log] level must be"),
        ("[policy]\nfmr = nan", "policy.fmr must be a number"),
        ("[policy]\nfmr = 0.5", "[policy] policy fmr must be above 0"),
        ("[policy]\nfmr = '1e-4'", "policy.fmr must be a number, not '1e-4'"),
        ("[policy.gate]\nmin_sharpness = -1", "[policy.gate] min_sharpness must be a number and not negative"),
        ("[policy.enrolment_gate]\nreserve = 0.5", "[policy.enrolment_gate] reserve must be below 0.5"),
        ("policy = 3", "policy must be a table: [policy]"),
        ("[camera\n", "the configuration is not TOML"),
    ],
)
def test_a_wrong_setting_is_named(text: str, says: str) -> None:
    """The message says section and key, and the nearest known name for an unknown one."""
    with pytest.raises(ConfigInvalid, match=re.escape(says)):
        config.parse(text.encode())


def test_bytes_that_are_no_text_and_huge_files_are_refused() -> None:
    """A binary file or a wrong path is not read into memory whole."""
    with pytest.raises(ConfigInvalid, match="not TOML"):
        config.parse(b"\xff\xfe")
    with pytest.raises(ConfigInvalid, match="larger than"):
        config.parse(b"#" * (config.MAX_CONFIG_BYTES + 1))


def test_a_file_is_read_and_a_missing_one_is_a_known_failure(tmp_path: Path) -> None:
    """load() adds the file to what parse() does."""
    file = tmp_path / "keldim.toml"
    file.write_text("[camera]\nwidth = 800\n")
    assert config.load(file).camera.width == 800
    with pytest.raises(ConfigInvalid, match=r"absent\.toml cannot be read"):
        config.load(tmp_path / "absent.toml")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_config_or_a_known_failure(data: bytes) -> None:
    """Nothing but ConfigInvalid comes out."""
    with contextlib.suppress(ConfigInvalid):
        config.parse(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from(["gate", "fmr", "name", "turns"]), inner),
        max_leaves=5,
    )
)
def test_any_policy_table_gives_a_config_or_a_known_failure(value: object) -> None:
    """Wrong shapes at any depth are known failures."""
    with contextlib.suppress(ConfigInvalid):
        config.parse(f"policy = {_toml(value)}".encode())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) and value.isalnum() and value.isascii() else str(value or 0)


def test_settings_cannot_be_changed_later() -> None:
    """A root reads them once; nobody changes them behind its back."""
    with pytest.raises(FrozenInstanceError):
        config.Config().camera.width = 800  # type: ignore[misc]


def test_every_policy_value_can_be_set() -> None:
    """The configuration knows each field of the policy by its own name."""
    for inner in fields(Policy):
        value = getattr(Policy(), inner.name)
        if isinstance(value, int | float | str):
            text = f"[policy]\n{inner.name} = {value!r}"
            assert config.parse(text.encode()) == config.Config()
