"""What a pack means to the desk: limits of its live scores, the length of its embeddings, a gallery for them.

How a pack is opened belongs to `face`; here its figures become what the core and the gallery ask for.
"""

from appliance.core.liveness_passive import PassiveLimits
from appliance.face.pack import Pack
from appliance.matching.gallery import Gallery
from models import codebook


def passive_limits(pack: Pack) -> PassiveLimits | None:
    """What the pack's live scores mean; None for a pack without anti-spoofing models, or without their calibration."""
    pad = pack.calibration.pad if pack.calibration and pack.pads else None
    return None if pad is None else PassiveLimits(pad.accept, pad.reject, pad.frames)


def dimension(pack: Pack) -> int:
    """Length of the pack's embeddings."""
    embed = pack.embedder.model.embed
    if embed is None:
        raise ValueError("the embedder of an opened pack has its spec")
    return embed.dimension


def empty_gallery(pack: Pack) -> Gallery:
    """A gallery for this pack's embeddings, with its code book if it has one. Raises PackDamaged."""
    book = None if pack.codebook is None else codebook.read(pack.codebook)
    return Gallery(dimension(pack), pack.digest, book=book)
