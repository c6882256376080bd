"""The new desk's request for the keys of an old one, signed by its device key.

What the fund makes of it is `sync.fund.handover`'s; that the answer is for this desk only, `recovery_document`'s.
"""

from typing import Final

from sync.envelope import DEVICE_ID
from sync.errors import EnvelopeInvalid
from sync.signing import PublicJwk, Signer, sign_members, verify
from sync.strict_json import JsonObject, Members

REQUEST_TYP: Final = "handover+jws"
MAX_REQUEST: Final = 4096


def request_handover(signer: Signer, device: str, old: str, to: PublicJwk) -> str:
    """Ask, as this device, for what the fund holds of an old one. to: seals the answer. Raises KeyUnusable."""
    members: JsonObject = {"v": 1, "device": device, "old": old, "sealing_jwk": to.as_dict()}
    return sign_members(signer, REQUEST_TYP, members)


def read_request(jwk: PublicJwk, token: str, device: str) -> tuple[str, PublicJwk]:
    """Whose records are asked for, and to whom to seal. jwk: the registered key of `device`. Raises EnvelopeInvalid."""
    members = Members.parse(verify(jwk, token, REQUEST_TYP, MAX_REQUEST).payload)
    members.integer("v", 1, 1)
    if members.text("device", DEVICE_ID) != device:
        raise EnvelopeInvalid("the request is another device's")
    return members.text("old", DEVICE_ID), PublicJwk.parse(members.object("sealing_jwk").content)
