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


class DiskFailing(DatabaseFailure):
    """The disk gave an error while reading or writing."""

    code = "E-DISK-02"
    remedy = "Copy the home directory to another disk now, then have this disk checked."


class DatabaseMissing(DatabaseFailure):
    """There is no database file where one must be; a new one would start a second chain of events."""

    code = "E-DB-05"
    remedy = "Put the database file back. Only a desk that asked no fund yet is made anew: keldim device init"


class DatabaseUnreachable(DatabaseFailure):
    """The database file cannot be opened or written: wrong owner, read-only disk, missing directory."""

    code = "E-DB-06"
    remedy = "The home directory must belong to the service user and be writable."


class KeyUnusable(SyncFailure):
    """A key file is missing, of the wrong length, or readable by others."""

    code = "E-KEY-01"
    remedy = "Put the key file back from the sealed copy; it must belong to the service user, mode 0600."


class TokenUnreachable(KeyUnusable):
    """The token or TPM that holds the device key does not answer: unplugged, no rights, no driver, another state."""

    code = "E-KEY-02"
    remedy = "Plug the token in, or start the machine again; visits are kept and signed when the key is back."


class PinRefused(KeyUnusable):
    """The token refused the PIN, or is locked after too many wrong ones."""

    code = "E-KEY-03"
    remedy = "Correct the PIN file. A locked PIN is reset by the clinic's administrator with the token's own tool."


class KeyForeign(KeyUnusable):
    """The token or TPM that answers does not hold this desk's key: another token, another machine, a cleared TPM."""

    code = "E-KEY-04"
    remedy = "Put the right token in, or the disk back into its machine; if that is gone, register this desk anew."


class KeyBound(KeyUnusable):
    """The machine was started in another state (firmware, boot settings) than the one its key is bound to."""

    code = "E-KEY-06"
    remedy = "Start the machine as it was when it was registered. After an update of its firmware register it anew."


class KeyUnsupported(KeyUnusable):
    """What was asked of the device key is not in this installation, or not in keys of its class."""

    code = "E-KEY-05"
    remedy = "For a key in a TPM run: sh requirements/setup.sh tpm. See firmware_notes/keys.md."


class AttestationInvalid(SyncFailure):
    """A desk's evidence about its key is malformed, or does not show what it claims to show."""

    code = "E-ATT-01"
    remedy = "Do not issue a certificate. Make the request again at the desk; if it stays, look at the machine."


class SettingsInvalid(SyncFailure):
    """The desk's configuration file is missing, unreadable, or holds an impossible value."""

    code = "E-CFG-02"
    remedy = "Correct the named line in keldim.toml; a desk not made yet: keldim device status says what is next."


class LedgerBroken(SyncFailure):
    """The chain of events does not verify: a row was altered, removed, inserted or reordered.

    seq: number of the first event that does not verify; None when it is not about one event.
    """

    code = "E-LED-01"
    remedy = "Stop the desk, keep the files, and report to the fund with `keldim ledger export`."
    exit_code = 4

    def __init__(self, message: str, seq: int | None = None) -> None:
        super().__init__(message)
        self.seq = seq


class RolledBack(SyncFailure):
    """An older copy of the desk is running: something newer of it is known, and its events are not here."""

    code = "E-LED-02"
    remedy = (
        "Visits are kept unsigned. Put the newest copy of the home back; if there is none, call the fund to register"
        " this desk anew."
    )
    exit_code = 4


class NothingToRecover(SyncFailure):
    """Neither the journal nor the database holds an event that verifies."""

    code = "E-LED-03"
    remedy = "Put the newest copy of the journal back, then try again; nothing was changed."
    exit_code = 4


class EnvelopeInvalid(SyncFailure):
    """Bytes that should be a signed event or receipt are not."""

    code = "E-ENV-01"
    remedy = "Nothing to do at the desk; report it to the fund."


class SignatureInvalid(EnvelopeInvalid):
    """A signature does not verify under the expected key."""

    code = "E-ENV-02"
    remedy = "Check that the fund's key file is the right one; report it to the fund."


class SealInvalid(SyncFailure):
    """What was sealed to a key does not open: altered, cut off, or for another key."""

    code = "E-SEAL-01"
    remedy = "Take the file again from whoever sent it; if it stays, it was not made for this machine."


class CertificateInvalid(SyncFailure):
    """A certificate is not what it should be, or the fund's device authority did not issue it."""

    code = "E-CRT-01"
    remedy = "Install the fund's answer again: keldim device install; if it stays, call the fund."


class ProtocolViolation(SyncFailure):
    """The fund's answer does not follow the protocol; nothing is settled by it."""

    code = "E-NET-02"
    remedy = "Nothing is lost; the desk tries again. If it stays, report it to the fund."


class ChainDisputed(ProtocolViolation):
    """The fund holds another event than this desk under the same number: two histories under one name."""

    code = "E-NET-06"
    remedy = "Visits go on and are kept. Keep the disk as it is and call the fund: this desk may be a copy."

    def __init__(self, seq: int) -> None:
        super().__init__(f"event {seq} at the fund is not this desk's event {seq}")


class TransportFailure(SyncFailure):
    """The fund cannot be reached, or did not answer in time."""

    code = "E-NET-01"
    remedy = "Nothing is lost; the desk tries again by itself. Check the network."


class DeviceRefused(SyncFailure):
    """The fund does not know this device, or has blocked it."""

    code = "E-NET-03"
    remedy = "Visits go on and are kept. Call the fund to register or unblock this desk."


class AnswerLate(TransportFailure):
    """The exchange did not end within its deadline: a slow line or a slow fund; the next batch is half as large."""

    code = "E-NET-07"
    remedy = "Nothing is lost; the desk sends less at a time. Check how fast the network is."


class FundBusy(TransportFailure):
    """The fund asks to come back later (429 or 503).

    retry_after: seconds the fund asks to wait; None when it did not say.
    """

    code = "E-NET-04"
    remedy = "Nothing to do: the desk tries again by itself when the fund has asked it to."

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestRefused(SyncFailure):
    """The fund refused a whole request (4xx); the worker sends smaller batches to find the cause.

    status: HTTP status.
    """

    code = "E-NET-05"
    remedy = "Nothing is lost. If one event stays refused, report its number to the fund."

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class SyncRunning(SyncFailure):
    """Another process is delivering events of this desk just now."""

    code = "E-SYNC-01"
    remedy = "Nothing to do: the running sync service delivers. See: keldim sync status"
    exit_code = 4


class DeskProvisioned(SyncFailure):
    """The home directory already belongs to another desk or fund."""

    code = "E-CFG-03"
    remedy = "Choose another home directory, or call the fund to move this desk."


class FundUrlInvalid(SyncFailure):
    """The address a new fund gateway shall answer at is not one that a certificate can name."""

    code = "E-FND-01"
    remedy = "Give the address as https://HOST or https://HOST:PORT, without path, user or query."


class FundExists(SyncFailure):
    """A new fund gateway would overwrite files that are there already."""

    code = "E-FND-02"
    remedy = "Choose an empty directory. Keys and events of a fund are never overwritten."


class FundUnwritable(SyncFailure):
    """The directory of a new fund gateway cannot be made or written."""

    code = "E-FND-07"
    remedy = "Choose a directory that the service user may write, on a disk with free space."


class FundIncomplete(SyncFailure):
    """A file of the fund gateway is missing or is not what it should be."""

    code = "E-FND-03"
    remedy = (
        "Name the fund's directory by --dir or KELDIM_FUND, or put the file back from its back-up; "
        "`keldim fund init` makes a new, empty fund elsewhere."
    )


class DeviceUnknown(SyncFailure):
    """The fund holds no device of this id."""

    code = "E-FND-05"
    remedy = "See the ids with `keldim fund devices`, or admit the desk first: keldim fund invite"


class AddressInUse(SyncFailure):
    """The gateway cannot listen at the address and port, or the unix socket, it was given."""

    code = "E-FND-06"
    remedy = "Stop the program that uses the port or socket, or serve on another one."


class GatewayRunning(SyncFailure):
    """A second gateway was started for a fund whose database is a file, which serves one."""

    code = "E-FND-10"
    remedy = "Stop the other gateway. Several gateways for one fund need PostgreSQL: keldim fund init --database"
    exit_code = 4


class ProxyImpossible(SyncFailure):
    """No configuration for a proxy before this fund's gateways can be made from what was given."""

    code = "E-FND-11"
    remedy = "Give PORT or ADDRESS:PORT, and absolute paths of plain characters; see firmware_notes/fund/nginx.md."


class LogUntrue(SyncFailure):
    """A transparency log does not show what it must: an event is missing, its past changed, or witnesses lack."""

    code = "E-TLOG-01"
    remedy = "Keep everything as it is, and show the evidence to the fund and to its witnesses: keldim sync log"
    exit_code = 4


class LogBroken(SyncFailure):
    """The fund's stored tree is not the one it signed; it signs nothing more until somebody has looked."""

    code = "E-TLOG-02"
    remedy = "Stop the gateway, keep the database, and run: keldim fund audit"
    exit_code = 4


class NotLogged(SyncFailure):
    """The log has no checkpoint yet, or an event no proof that it is in it."""

    code = "E-TLOG-03"
    remedy = "Wait for the promised delay and for the next delivery; see: keldim sync status"
    exit_code = 4


class WitnessExists(SyncFailure):
    """A new witness would overwrite files that are there already."""

    code = "E-TLOG-04"
    remedy = "Choose an empty directory. A witness that forgot what it signed is worth nothing."


class WitnessRefuses(SyncFailure):
    """A witness does not sign a checkpoint, and says why."""

    code = "E-TLOG-05"
    remedy = "Keep both checkpoints: the log's past was changed, or an older copy of the fund is running."
    exit_code = 4


class FundDatabaseUnreachable(DatabaseFailure):
    """The fund's PostgreSQL server does not answer, only reads, or did not confirm a commit."""

    code = "E-FND-08"
    remedy = "Nothing is lost: desks send again. Look at the database server; the gateway goes on by itself."


class FundDatabaseInvalid(SyncFailure):
    """The address of the fund's PostgreSQL database is not one, or the database belongs to another fund."""

    code = "E-FND-09"
    remedy = "Give it as postgresql://USER@HOST/DATABASE, naming a database that was made for this fund alone."
