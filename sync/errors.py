"""Every failure the ledger and the way to the fund can name, with a remedy for the operator.

`KnownFailure` is the root of all known failures of the project; what is not one of them is a bug
and is never caught.
"""

from typing import ClassVar


class KnownFailure(Exception):
    """The world is at fault, not the program: shown with its remedy, without a stack trace.

    code: stable, for manuals and screens. remedy: what the operator can do. exit_code: of a command
    that ends with this failure.
    """

    code: ClassVar[str] = "E-000"
    remedy: ClassVar[str] = ""
    exit_code: ClassVar[int] = 3


class SyncFailure(KnownFailure):
    """Base of the failures of ledger, database and transport; never raised itself."""


class DatabaseFailure(SyncFailure):
    """The database cannot be used."""

    code = "E-DB-00"
    remedy = "Run: keldim doctor"


class DatabaseKeyWrong(DatabaseFailure):
    """The key does not open the database, or the file is not a database."""

    code = "E-DB-01"
    remedy = "Put the right key file back beside the database. Do not delete the database."


class DatabaseDamaged(DatabaseFailure):
    """The database opens but a page or a table is damaged."""

    code = "E-DB-02"
    remedy = "Keep the files as they are, copy them to another disk, and call support."


class DatabaseBusy(DatabaseFailure):
    """Another process held the database longer than the time-out."""

    code = "E-DB-03"
    remedy = "Try again; if it stays, restart both Keldim services."


class DatabaseTooNew(DatabaseFailure):
    """The database was written by a newer version of the program."""

    code = "E-DB-04"
    remedy = "Install the newer version of Keldim again."


class DiskFull(DatabaseFailure):
    """Nothing more can be written; nothing recorded so far is lost."""

    code = "E-DISK-01"
    remedy = "Free space on the disk; the desk goes on by itself."


class KeyUnusable(SyncFailure):
    """A key file is missing, of the wrong length, or readable by others."""

    code = "E-KEY-01"
    remedy = "Put the key file back from the sealed copy; it must belong to the service user, mode 0600."


class SettingsInvalid(SyncFailure):
    """The desk's configuration file is missing, unreadable, or holds an impossible value."""

    code = "E-CFG-02"
    remedy = "Create the desk with `keldim init`, or correct the named line in keldim.toml."


class LedgerBroken(SyncFailure):
    """The chain of events does not verify: a row was altered, removed, inserted or reordered."""

    code = "E-LED-01"
    remedy = "Stop the desk, keep the files, and report to the fund with `keldim ledger export`."


class EnvelopeInvalid(SyncFailure):
    """Bytes that should be a signed event or receipt are not."""

    code = "E-ENV-01"
    remedy = "Nothing to do at the desk; report it to the fund."


class SignatureInvalid(EnvelopeInvalid):
    """A signature does not verify under the expected key."""

    code = "E-ENV-02"
    remedy = "Check that the fund's key file is the right one; report it to the fund."


class ProtocolViolation(SyncFailure):
    """The fund's answer does not follow the protocol; nothing is settled by it."""

    code = "E-NET-02"
    remedy = "Nothing is lost; the desk tries again. If it stays, report it to the fund."


class TransportFailure(SyncFailure):
    """The fund cannot be reached, or did not answer in time."""

    code = "E-NET-01"
    remedy = "Nothing is lost; the desk tries again by itself. Check the network."


class DeviceRefused(SyncFailure):
    """The fund does not know this device, or has blocked it."""

    code = "E-NET-03"
    remedy = "Visits go on and are kept. Call the fund to register or unblock this desk."
