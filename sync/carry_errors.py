"""What can go wrong when events travel to the fund on a stick, and receipts back."""

from sync.errors import SyncFailure


class CarriedInvalid(SyncFailure):
    """A file from a stick is cut off, altered, of another desk or fund, or no such file at all; nothing was changed."""

    code = "E-USB-01"
    remedy = "Nothing was changed. Copy the file again from its stick, or export again at the desk."


class StickUnusable(SyncFailure):
    """The stick, or the file on it, cannot be read or written."""

    code = "E-USB-02"
    remedy = "Nothing is lost. Check that the stick is there, writable and not full, and try again."


class CarriedRefused(SyncFailure):
    """The fund takes nothing from the desk whose events came on a stick; what it took before has its receipts."""

    code = "E-USB-03"
    remedy = "See why with `keldim fund devices`; once the desk may deliver again, import the same file again."


class NoSealingKey(SyncFailure):
    """The desk does not know the key to which events on a stick are sealed."""

    code = "E-USB-04"
    remedy = "Join the fund again with a new invitation; events are delivered over the network meanwhile."


class NothingSaved(SyncFailure):
    """A back-up or saved disk holds no signed event that could be handed in."""

    code = "E-USB-05"
    remedy = "Name the folder that holds `journal`: a back-up, or the desk's own folder on its old disk."
