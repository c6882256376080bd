"""The desk's settings: what is wrong is named, what belongs to others is left alone."""

from pathlib import Path

import pytest

from sync.errors import SettingsInvalid
from sync.home import (
    DeviceSettings,
    FundSettings,
    Home,
    KeySettings,
    TokenSettings,
    TpmSettings,
    load_settings,
    parse_settings,
)
from sync.signing import KeyClass
from tests.sync.test_signing import RFC7638_STYLE

JWK = f'{{ kty = "EC", crv = "P-256", x = "{RFC7638_STYLE.x}", y = "{RFC7638_STYLE.y}" }}'
DEVICE = '[device]\ndevice = "desk-1"\nclinic = "Емхана № 5"\ndesk = "Front"\n'
FUND = f'[fund]\nurl = "https://fund.example:8443"\npublic_jwk = {JWK}\n'


def test_the_settings_are_read(tmp_path: Path) -> None:
    """Sections of others are not looked at; the certificate lies in the home unless said otherwise."""
    home = Home(tmp_path)
    home.config.write_text(DEVICE + FUND + "[camera]\nanything = 1\n", encoding="utf-8")
    settings = load_settings(home)
    assert settings.device == DeviceSettings("desk-1", "Емхана № 5", "Front")
    assert settings.fund == FundSettings("https://fund.example:8443", home.fund_ca, RFC7638_STYLE, 30)
    more = parse_settings((DEVICE + FUND + 'ca = "other.pem"\ndeadline_s = 5\n').encode(), home)
    assert (more.fund.ca, more.fund.deadline_s) == (tmp_path / "other.pem", 5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", r"no section \[device\]"),
        (DEVICE, r"no section \[fund\]"),
        ("[device", "not TOML"),
        ("device = 1\n" + FUND, r"no section \[device\]"),
        (DEVICE + "colour = 1\n" + FUND, r"unknown setting device\.colour"),
        (DEVICE + FUND + "proxy = 1\n", r"unknown setting fund\.proxy"),
        (DEVICE.replace('"desk-1"', "1") + FUND, r"device\.device"),
        (DEVICE.replace("desk-1", "Desk 1") + FUND, r"device\.device"),
        (DEVICE.replace("Front", "") + FUND, r"device\.desk"),
        (DEVICE.replace("Front", "a\\nb") + FUND, r"device\.desk"),
        (DEVICE + FUND.replace("https:", "http:"), r"fund\.url"),
        (DEVICE + FUND.replace("8443", "port"), r"fund\.url"),
        (DEVICE + FUND.replace("8443", "8443/"), r"fund\.url"),
        (DEVICE + FUND.replace("fund.example", "user:secret@fund.example"), r"fund\.url"),
        (DEVICE + FUND.replace("fund.example", "қор.example"), r"fund\.url"),
        (DEVICE + FUND + "deadline_s = 0\n", r"fund\.deadline_s"),
        (DEVICE + FUND + 'deadline_s = "5"\n', r"fund\.deadline_s"),
        (DEVICE + FUND + "deadline_s = true\n", r"fund\.deadline_s"),
        (DEVICE + FUND.replace(RFC7638_STYLE.x, "short"), r"fund\.public_jwk"),
        (DEVICE + '[fund]\nurl = "https://fund.example"\n', r"fund\.public_jwk"),
        (DEVICE + FUND + "#" * 70_000, "longer"),
    ],
)
def test_a_wrong_setting_is_named(text: str, named: str) -> None:
    """So that the operator can correct the line."""
    with pytest.raises(SettingsInvalid, match=named):
        parse_settings(text.encode(), Home(Path("home")))


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(SettingsInvalid, match=r"keldim\.toml cannot be read") as missing:
        load_settings(Home(tmp_path))
    assert "keldim device status" in missing.value.remedy
    with pytest.raises(SettingsInvalid, match="not TOML"):
        parse_settings(b"\xff", Home(tmp_path))


PKCS11 = '[key]\nclass = "pkcs11"\nmodule = "/usr/lib/token.so"\ntoken = "clinic"\nlabel = "desk"\n'


def test_where_the_device_key_lives_is_read() -> None:
    """A file unless said otherwise; a token with its PIN; a TPM with what may be left out."""
    home, start = Home(Path("home")), DEVICE + FUND
    assert parse_settings(start.encode(), home).key == KeySettings()
    assert parse_settings(f'{start}[key]\nclass = "file"\n'.encode(), home).key == KeySettings()
    by_file = parse_settings(f'{start}{PKCS11}pin = "keys/pin"\n'.encode(), home).key.token
    assert by_file == TokenSettings(Path("/usr/lib/token.so"), "clinic", "desk", Path("home/keys/pin"))
    by_systemd = parse_settings(f'{start}{PKCS11}credential = "token-pin"\n'.encode(), home).key.token
    assert by_systemd == TokenSettings(Path("/usr/lib/token.so"), "clinic", "desk", credential="token-pin")
    assert parse_settings(f'{start}[key]\nclass = "tpm2"\n'.encode(), home).key.tpm == TpmSettings()
    more = 'tcti = "swtpm:path=s"\nhandle = 0x81000042\npcrs = [7, 14]\ncounter = 0x01500001\n'
    set_all = parse_settings(f'{start}[key]\nclass = "tpm2"\n{more}'.encode(), home).key
    assert set_all == KeySettings(KeyClass.TPM2, tpm=TpmSettings("swtpm:path=s", 0x8100_0042, (7, 14), 0x0150_0001))


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("[key]\n", r"key\.class"),
        ('[key]\nclass = "cloud"\n', r"key\.class"),
        ('[key]\nclass = "file"\ntcti = "x"\n', r"key\.tcti has no meaning"),
        ('[key]\nclass = "tpm2"\npin = "x"\n', r"key\.pin has no meaning"),
        ('[key]\nclass = "tpm2"\ncolour = 1\n', r"key\.colour"),
        ('[key]\nclass = "tpm2"\ntcti = ""\n', r"key\.tcti"),
        ('[key]\nclass = "tpm2"\nhandle = 5\n', r"key\.handle"),
        ('[key]\nclass = "tpm2"\nhandle = "x"\n', r"key\.handle"),
        ('[key]\nclass = "tpm2"\nhandle = true\n', r"key\.handle"),
        ('[key]\nclass = "tpm2"\ncounter = 0x01C00002\n', r"key\.counter"),
        ('[key]\nclass = "tpm2"\npcrs = [7, 7]\n', r"key\.pcrs"),
        ('[key]\nclass = "tpm2"\npcrs = [24]\n', r"key\.pcrs"),
        ('[key]\nclass = "tpm2"\npcrs = [true]\n', r"key\.pcrs"),
        ('[key]\nclass = "tpm2"\npcrs = 7\n', r"key\.pcrs"),
        (PKCS11, r"key\.pin"),
        (PKCS11 + 'pin = "a"\ncredential = "b"\n', r"key\.pin"),
        (PKCS11 + 'credential = "../b"\n', r"key\.credential"),
        (PKCS11.replace("/usr/lib/", "") + 'pin = "a"\n', r"key\.module"),
        (PKCS11.replace("clinic", "c" * 33) + 'pin = "a"\n', r"key\.token"),
        (PKCS11.replace("label", "#") + 'pin = "a"\n', r"key\.label"),
    ],
)
def test_a_wrong_setting_of_the_key_is_named(key: str, named: str) -> None:
    """Nothing about a key is guessed, and nothing of one class is taken for another."""
    with pytest.raises(SettingsInvalid, match=named):
        parse_settings((DEVICE + FUND + key).encode(), Home(Path("home")))
