"""The known failures of model packs as files: a damaged pack, unusable upstream files.

That a pack does not fit this version of the program, or computes something else than it should, is
found out by `appliance.face.pack`.
"""

from sync.errors import KnownFailure


class ModelFailure(KnownFailure):
    """Base of the failures of packs as files; never raised itself."""


class PackDamaged(ModelFailure):
    """A pack's folder, manifest, calibration or one of its files is missing, truncated, altered or not allowed."""

    code = "E-PACK-02"
    remedy = "Fetch and build the pack again: keldim models pull builtin"


class SourceUnusable(ModelFailure):
    """The upstream file a pack is made from cannot be fetched, is missing, truncated or altered."""

    code = "E-PACK-03"
    remedy = "Check the folder given with --from, or the network and the free disk space; nothing was replaced."


class PackUnwritable(ModelFailure):
    """The folder of packs cannot be written: not ours, read-only, or the disk is full."""

    code = "E-PACK-06"
    remedy = "Choose another folder with --packs, or free space on the disk; nothing was replaced."


class LicenceNotAccepted(ModelFailure):
    """The weights of a pack may not be used for everything, and nobody has accepted their licence on this machine."""

    code = "E-PACK-08"
    remedy = "Read the licence: keldim models show NAME. To accept it: keldim models build NAME --accept-licence"


class PackUnknown(ModelFailure):
    """No pack of this name is installed, or no recipe of this name exists."""

    code = "E-PACK-04"
    remedy = "Build it: keldim models pull builtin. What is installed: keldim models list"
