"""Makes a desk's home: directories, keys, settings, an empty ledger, and the registration for the fund.

Reading it back is left to `home`. Every step may be repeated: a run that was cut off is finished by the
next one, and nothing that exists is ever overwritten.
"""

import json
from pathlib import Path
from typing import Final

from sync.compact import decode_part
from sync.database import open_database
from sync.desk_database import open_desk_database
from sync.device_key import create_device_key
from sync.durable import create_file, replace_file
from sync.errors import DeskProvisioned, DiskFailing, EnvelopeInvalid, SettingsInvalid
from sync.home import DeviceSettings, FundSettings, Home, SyncSettings, parse_settings
from sync.key_source import KeyName, open_keys
from sync.keyfile import KEY_BYTES, create_key, write_secret
from sync.recovery import write_recovery
from sync.schema import LEDGER_MIGRATIONS
from sync.signing import PublicJwk, Signer
from sync.strict_json import Members, dump
from sync.transport import pinned_context

_MAX_FUND_JSON: Final = 64 * 1024


def provision(home: Home, fund_json: bytes, device: DeviceSettings, more_toml: str = "") -> bytes:
    """Create the desk's home, or finish creating it; gives device.json for `fund register`.

    fund_json: what the fund gave, {"url","ca_pem","public_jwk","sealing_jwk","pseudonym_key"}. more_toml: further
    sections for keldim.toml, as text. A complete home of the same desk and fund is left as it is.

    Raises SettingsInvalid (fund.json or a name), DeskProvisioned (the home is another desk's), KeyUnusable,
    DiskFailing, and as `open_database`.
    """
    fund, ca_pem, pseudonym_key = _read_fund(fund_json, home)
    settings = SyncSettings(device, fund)
    try:
        for directory in (home.root, home.keys, home.fund, home.log):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The settings come first: from here on this home belongs to this desk and this fund.
        settings = _claim(home, settings, more_toml)
        _once(home.fund_ca, ca_pem)
    except OSError as error:
        raise DiskFailing(f"{home.root.name} cannot be written: {error.strerror}") from error
    complete = home.registration.exists()
    if not complete:  # later the keys may be sealed, or be other ones
        _make_keys(home, pseudonym_key)
    keys = open_keys(home)
    if keys.load(KeyName.PSEUDONYM) != pseudonym_key:
        raise DeskProvisioned("the home holds the pseudonym key of another fund")
    signer = create_device_key(home, settings.key).signer
    if complete:
        open_desk_database(home, keys, [LEDGER_MIGRATIONS]).close()
    else:
        open_database(home.database, keys.load(KeyName.DATABASE), [LEDGER_MIGRATIONS], create=True).close()
        if not home.recovery.exists():
            write_recovery(home, device.device, keys, fund.sealing)
    return _registration(home, device, signer, complete)


def _make_keys(home: Home, pseudonym_key: bytes) -> None:
    if not home.pseudonym_key.exists():
        write_secret(home.pseudonym_key, pseudonym_key)
    for key in (home.database_key, home.template_key):
        if not key.exists():
            create_key(key)


def _registration(home: Home, device: DeviceSettings, signer: Signer, complete: bool) -> bytes:
    content = dump(
        {
            "device": device.device,
            "clinic": device.clinic,
            "desk": device.desk,
            "key_class": signer.key_class,
            "public_jwk": signer.public_jwk.as_dict(),
        }
    )
    try:
        if not complete:
            replace_file(home.registration, content)
        elif home.registration.read_bytes() != content:
            raise DeskProvisioned("device.json is not that of this desk's key")
    except OSError as error:
        raise DiskFailing(f"device.json cannot be written: {error.strerror}") from error
    return content


def _read_fund(content: bytes, home: Home) -> tuple[FundSettings, bytes, bytes]:
    if len(content) > _MAX_FUND_JSON:
        raise SettingsInvalid(f"the fund's file is longer than {_MAX_FUND_JSON} bytes")
    try:
        members = Members.parse(content)
        jwk, sealing = (PublicJwk.parse(members.object(name).content) for name in ("public_jwk", "sealing_jwk"))
        ca_pem = members.text("ca_pem").encode("utf-8")
        pseudonym_key = decode_part(members.text("pseudonym_key"))
        url = members.text("url")
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"the fund's file is not usable: {error}") from error
    if len(pseudonym_key) != KEY_BYTES:
        raise SettingsInvalid(f"the fund's pseudonym key must have {KEY_BYTES} bytes")
    pinned_context(ca_pem.decode("utf-8"))
    return FundSettings(url, home.fund_ca, jwk, sealing=sealing), ca_pem, pseudonym_key


def _claim(home: Home, settings: SyncSettings, more_toml: str) -> SyncSettings:
    """Write the settings once; gives them as they are in force. [key] is among more_toml, or was put there since."""
    content = _format(settings, more_toml).encode("utf-8")
    meant = parse_settings(content, home)
    if (meant.device, meant.fund) != (settings.device, settings.fund):
        raise AssertionError("keldim.toml must read back as it was meant")
    if not home.config.exists():
        create_file(home.config, content)
    found = parse_settings(home.config.read_bytes(), home)
    if (found.device, found.fund) != (settings.device, settings.fund):
        raise DeskProvisioned(f"{home.root.name} already belongs to another desk or fund")
    return found


def _format(settings: SyncSettings, more_toml: str) -> str:
    device, fund = settings.device, settings.fund
    return (
        "[device]\n"
        f"device = {_quoted(device.device)}\nclinic = {_quoted(device.clinic)}\ndesk = {_quoted(device.desk)}\n\n"
        "[fund]\n"
        f'url = {_quoted(fund.url)}\nca = "fund/ca.pem"\npublic_jwk = {_inline(fund.jwk)}\n'
        + (f"sealing_jwk = {_inline(fund.sealing)}\n" if fund.sealing else "")
        + (f"\n{more_toml.strip()}\n" if more_toml.strip() else "")
    )


def _inline(jwk: PublicJwk) -> str:
    return "{ " + ", ".join(f"{name} = {_quoted(str(value))}" for name, value in jwk.as_dict().items()) + " }"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # also a TOML basic string: names hold no control characters


def _once(path: Path, content: bytes) -> None:
    if not path.exists():
        create_file(path, content)
    elif path.read_bytes() != content:
        raise DeskProvisioned(f"{path.name} is that of another fund")
