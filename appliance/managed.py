"""What of a desk's settings may be set from afar, and how that goes together with the desk's own file.

Never keys, paths, addresses, nor which cameras or packs serve: with those a desk could be turned against its clinic, or
be closed by a mistake that no probation sees. How settings come signed belongs to `models.updates`, when they are used
to `settings_in_use`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from appliance.config import Config, of_tables, tables
from appliance.core.errors import ConfigInvalid

POLICY: Final = "policy"
"""Set as a whole: what the settings leave out has its default, whatever the desk's own file says, so that all desks of
a release have one policy id."""

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "desk": frozenset({"language"}),
    "camera": frozenset({"width", "height", "rate"}),
    "log": frozenset({"level"}),
}
"""Beside the policy: set one by one, the rest stays the desk's own."""


def check(settings: bytes) -> Config:
    """The settings alone, judged as strictly as a desk's own file. Raises ConfigInvalid naming section and key."""
    return over(b"", settings)


def over(own: bytes, settings: bytes) -> Config:
    """A desk's configuration with these settings over its own file. Raises ConfigInvalid."""
    merged, found = dict(tables(own)), tables(settings)
    if not found:
        raise ConfigInvalid("the settings set nothing")
    for section, values in found.items():
        if not isinstance(values, dict):
            raise ConfigInvalid(f"{section} is no section that can be set from afar")
        if section == POLICY:
            merged[section] = values
            continue
        strange = sorted(values.keys() - _KEYS.get(section, frozenset()))
        if strange or not values:
            raise ConfigInvalid(f"[{section}] {''.join(strange[:1])} cannot be set from afar")
        here = merged.get(section, {})
        merged[section] = {**(here if isinstance(here, dict) else {}), **values}
    return of_tables(merged)


def configuration_digest(config: Config) -> str:
    """SHA-256 over the canonical JSON of what can be set from afar, as it is in force; 64 hex digits.

    Nothing else of the configuration is in it: a digest of an address with a password would be a way to guess that.
    """
    shown: dict[str, object] = {POLICY: asdict(config.policy)}
    for section, keys in _KEYS.items():
        shown[section] = {key: getattr(getattr(config, section), key) for key in keys}
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
