"""What can be the matter with keys at rest, back-ups and restores, with a remedy for the operator.

Failures of everything else are in `errors`, which this module builds on.
"""

from sync.errors import KeyUnusable, SyncFailure


class SealUnusable(KeyUnusable):
    """A sealed key is missing, or does not open on this machine, in this boot state, for this user."""

    code = "E-KEY-11"
    remedy = (
        "Start the desk by its systemd units, commands as root. New machine or firmware: see keldim restore --help."
    )


class RecoveryInvalid(SyncFailure):
    """A recovery copy of keys, or what the fund made of it, is malformed or not for who opens it."""

    code = "E-KEY-13"
    remedy = "Take the file from the back-up again; the fund opens a recovery copy, the new desk what the fund gave it."


class BackupInvalid(SyncFailure):
    """A back-up cannot be written, does not read back, or is not what was written."""

    code = "E-BAK-01"
    remedy = "Take another disk and run `keldim backup` again, or restore from an older back-up."


class RestoreRefused(SyncFailure):
    """A restore would mix two desks, or let one go on as two."""

    code = "E-BAK-02"
    remedy = "Restore into a newly admitted desk without patients; the fund blocks the old device first."


class RotationUnfinished(SyncFailure):
    """A rotation of keys cannot go on; the desk opens with the keys it has."""

    code = "E-KEY-12"
    remedy = "Stop both Keldim services, then run the same `keldim keys rotate` again: it goes on where it was."
