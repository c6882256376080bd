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
    remedy = "See keldim models list; make it: keldim models pull NAME, or keldim models build NAME --from DIR"


class SigningKeyUnusable(ModelFailure):
    """A key of the model repository is missing, no P-256 key, or does not open with this passphrase."""

    code = "E-PUB-01"
    remedy = "Check the key's file and the passphrase; how keys are made: firmware_notes/updates.md"


class RepositoryUnusable(ModelFailure):
    """The folder is no model repository, cannot be written, or what was asked does not fit what it holds."""

    code = "E-PUB-02"
    remedy = "Look at it with: keldim models status. How one is made: firmware_notes/updates.md"


class SignaturesMissing(ModelFailure):
    """Something that waits to be published has not been signed by enough of its keys."""

    code = "E-PUB-03"
    remedy = "What waits, and for whom: keldim models status. Each holder then runs: keldim models sign"


class UpdateRefused(ModelFailure):
    """What the update server or the USB stick holds is not what the clinic's publishers signed last, or is damaged."""

    code = "E-UPD-01"
    remedy = "The desk goes on with its pack. Take a fresh copy; if it stays, call whoever publishes the packs."


class UpdateExpired(ModelFailure):
    """The newest signatures of the update server have run out: it is frozen, forgotten, or this machine's clock ahead.

    Updates stop; check-ins never do.
    """

    code = "E-UPD-02"
    remedy = "The desk goes on with its pack. Check the clock; then whoever publishes runs: keldim models stamp"


class UpdateUnreachable(ModelFailure):
    """The update server or the USB stick cannot be read, or not in time. What came is kept and not asked for again."""

    code = "E-UPD-03"
    remedy = "The desk goes on with its pack and tries again. Check the address, the network or the stick."


class UpdateNoRoom(ModelFailure):
    """The disk has no room for another pack beside the one in use."""

    code = "E-UPD-04"
    remedy = "Free space on the disk; nothing was replaced."


class UpdateUnwanted(ModelFailure):
    """The pack failed here before, was withdrawn, or is older than the oldest that may be used."""

    code = "E-UPD-05"
    remedy = "The desk goes on with its pack. Publish a new one: keldim models publish"


class SlotsUnusable(ModelFailure):
    """The folder of the two pack slots cannot be read or written."""

    code = "E-UPD-06"
    remedy = "Free space, or give the folder to the service user; then fetch the pack again: keldim models update"


class SlotsDamaged(SlotsUnusable):
    """What this desk remembers of its slots or of the newest metadata is damaged; nobody forgets a floor by itself."""

    code = "E-UPD-09"
    remedy = "Follow the publishers again, with their root metadata by hand: keldim models follow. Then: models update"


class NoHealthyPack(ModelFailure):
    """Neither slot holds a pack that is whole and may be used, and the one delivered with the desk is too old."""

    code = "E-UPD-07"
    remedy = "Fetch a pack: keldim models update --from FOLDER. Until then reception checks in by document."


class UpdateGoingOn(ModelFailure):
    """Another update of this desk is going on: the timer's, or somebody typed the command elsewhere."""

    code = "E-UPD-08"
    remedy = "Wait until it has ended, then try again. What came of it: keldim models slots"
