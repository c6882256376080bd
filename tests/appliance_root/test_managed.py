"""What may be set from afar, and that nothing else can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import parse
from appliance.core.errors import ConfigInvalid
from appliance.managed import check, configuration_digest, over

OWN = b"""
[desk]
language = "ru"
[camera]
allow = ["046d:0825"]
rate = 15
[policy]
tries = 3
fmr = 1e-3
[fund]
url = "https://fund.example.kz"
"""


def test_settings_go_over_the_own_file_key_by_key() -> None:
    """Which camera serves stays the desk's own matter."""
    found = over(OWN, b'[desk]\nlanguage = "kk"\n[camera]\nwidth = 640\nheight = 480\n')
    assert (found.desk.language, found.camera.width, found.camera.rate) == ("kk", 640, 15)
    assert found.camera.allow == ("046d:0825",)
    assert found.policy == parse(OWN).policy


def test_a_policy_from_afar_is_the_whole_policy() -> None:
    """All desks of a release have one policy id, whatever their own files say."""
    settings = b"[policy]\nfmr = 1e-5\n"
    assert over(OWN, settings).policy.policy_id == check(settings).policy.policy_id
    assert over(OWN, settings).policy.tries == parse(b"").policy.tries


@pytest.mark.parametrize(
    "settings",
    [
        b'[fund]\nurl = "https://evil.example"\n',
        b'[key]\nmodule = "/tmp/evil.so"\n',
        b'[keys]\nkind = "file"\n',
        b'[device]\ndevice = "another"\n',
        b'[pack]\nfolder = "/tmp/evil"\n',
        b'[pack]\nname = "evil"\n',
        b'[camera]\nstreams = ["rtsp://evil.example/1"]\n',
        b'[camera]\nallow = ["dead:beef"]\n',
        b"[desk]\ntraining = true\n",
        b"[update]\nring = 1\n",
        b"[log]\n",
        b"policy = 1\n",
        b"",
    ],
)
def test_keys_paths_addresses_and_cameras_cannot_be_set_from_afar(settings: bytes) -> None:
    """Signed or not: with these a desk could be turned against its clinic, or be closed."""
    with pytest.raises(ConfigInvalid):
        check(settings)


@pytest.mark.parametrize(
    "settings",
    [
        b"[policy]\nfmr = 0.5\n",
        b"[policy]\nfpir = 0\n",
        b"[policy]\ntries = 0\n",
        b"[policy]\nnobody_knows_this = 1\n",
        b"[policy.timing]\nanswer = -1\n",
        b"[policy.timing]\nanswer = nan\n",
        b"[policy.gate]\nreserve = 0.9\n",
        b"[policy.liveness]\nleast_steps = 9\n",
        b'[desk]\nlanguage = "tlh"\n',
        b"[camera]\nrate = 100000\n",
        b"[policy\n",
        b"\xff\xfe",
        b"#" * 70_000,
    ],
)
def test_a_policy_out_of_bounds_is_refused_as_in_the_own_file(settings: bytes) -> None:
    """The same strict parser judges both."""
    with pytest.raises(ConfigInvalid):
        check(settings)


@given(st.binary(max_size=200))
def test_whatever_comes_is_settings_or_a_known_failure(data: bytes) -> None:
    """Nothing signed by mistake ends the program."""
    try:
        check(data)
    except ConfigInvalid:
        return
    assert data


def test_the_digest_tells_what_can_be_set_and_nothing_secret() -> None:
    """Another limit is another digest; the address of a camera with its password is in none."""
    plain = configuration_digest(parse(b""))
    assert configuration_digest(parse(b"[policy]\nfmr = 1e-5\n")) != plain
    assert configuration_digest(parse(b'[log]\nlevel = "DEBUG"\n')) != plain
    assert configuration_digest(parse(b'[camera]\nstreams = ["rtsp://a:b@10.0.0.1/1"]\n')) == plain
