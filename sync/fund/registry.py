"""The registry of invitations, answered requests and certificates: its port, and its SQL, one for both databases.

Whom to invite, admit and revoke is decided in `sync.fund.admission`; the tables are made by `schema` and
`postgres_schema`; the transaction around it is the caller's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sync.errors import DatabaseDamaged
from sync.fund.rows import Admission, Certificate, Device, Invited, Purpose


class Registry(Protocol):
    """What admission needs to keep and find. All methods raise DatabaseFailure and nothing else."""

    def invite(self, invited: Invited, at: datetime) -> None:
        """Keep an invitation."""

    def invited(self, nonce: str) -> Invited | None:
        """The invitation of this nonce."""

    def admission(self, request: str) -> Admission | None:
        """The answer to the request of this digest."""

    def admitted_with(self, nonce: str) -> Admission | None:
        """The answer to the request that used this nonce."""

    def keep_admission(self, admission: Admission, at: datetime) -> None:
        """Keep an answer; neither its request nor its nonce was answered before."""

    def certify(self, device: Device, certificates: Sequence[Certificate], at: datetime) -> None:
        """Keep certificates of a registered device, with the class of key they name; a revocation is over."""

    def certificates(self, device: str | None = None) -> tuple[Certificate, ...]:
        """All certificates, or those of a device, the oldest first."""

    def revoke(self, device: str, reason: str, at: datetime) -> None:
        """Revoke a device and every certificate it has."""


class Sql(Protocol):
    """A database that is asked in SQL with numbered places, $1 and so on. Raises DatabaseFailure."""

    def rows(self, statement: str, *values: object) -> Sequence[Sequence[object]]:
        """What a question gives."""

    def run(self, statement: str, *values: object) -> None:
        """Change something."""


class SqlRegistry:
    """The registry in the fund's database, whichever it is: the tables have the same names and columns in both."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def invite(self, invited: Invited, at: datetime) -> None:
        """Keep an invitation."""
        self._sql.run(
            "INSERT INTO invitation (nonce, device, clinic, desk, made, expires) VALUES ($1, $2, $3, $4, $5, $6)",
            *(invited.nonce, invited.device, invited.clinic, invited.desk, at, invited.expires),
        )

    def invited(self, nonce: str) -> Invited | None:
        """The invitation of this nonce."""
        rows = self._sql.rows("SELECT nonce, device, clinic, desk, expires FROM invitation WHERE nonce = $1", nonce)
        return next(
            (Invited(str(row[0]), str(row[1]), str(row[2]), str(row[3]), time_of(row[4])) for row in rows), None
        )

    def admission(self, request: str) -> Admission | None:
        """The answer to the request of this digest."""
        rows = self._sql.rows(_ADMISSIONS + "WHERE request = $1", request)
        return next((Admission(*map(str, row)) for row in rows), None)

    def admitted_with(self, nonce: str) -> Admission | None:
        """The answer to the request that used this nonce."""
        rows = self._sql.rows(_ADMISSIONS + "WHERE nonce = $1", nonce)
        return next((Admission(*map(str, row)) for row in rows), None)

    def keep_admission(self, admission: Admission, at: datetime) -> None:
        """Keep an answer; neither its request nor its nonce was answered before."""
        self._sql.run(
            "INSERT INTO admission (request, device, nonce, answer, answered) VALUES ($1, $2, $3, $4, $5)",
            *(admission.request, admission.device, admission.nonce, admission.answer, at),
        )

    def certify(self, device: Device, certificates: Sequence[Certificate], at: datetime) -> None:
        """Keep certificates of a registered device, with the class of key they name; a revocation is over."""
        self._sql.run(
            "UPDATE device SET clinic = $2, desk = $3, key_class = $4, attested = $5, revoked = NULL, "
            "revoked_for = NULL WHERE device = $1",
            *(device.device, device.clinic, device.desk, device.key_class, device.attested),
        )
        for certificate in certificates:
            self._sql.run(ADD_CERTIFICATE, *certificate_columns(certificate, at))

    def certificates(self, device: str | None = None) -> tuple[Certificate, ...]:
        """All certificates, or those of a device, the oldest first."""
        if device is None:
            return tuple(map(certificate_of, self._sql.rows(CERTIFICATES + _OLDEST_FIRST)))
        return tuple(map(certificate_of, self._sql.rows(CERTIFICATES_OF, device)))

    def revoke(self, device: str, reason: str, at: datetime) -> None:
        """Revoke a device and every certificate it has."""
        self._sql.run("UPDATE device SET revoked = $2, revoked_for = $3 WHERE device = $1", device, at, reason)
        self._sql.run(
            "UPDATE certificate SET revoked = $2, revoked_for = $3 WHERE device = $1 AND revoked IS NULL",
            *(device, at, reason),
        )


_ADMISSIONS = "SELECT request, device, nonce, answer FROM admission "
CERTIFICATES = "SELECT fingerprint, device, purpose, key_id, begins, ends, pem, revoked, revoked_for FROM certificate "
_OLDEST_FIRST = "ORDER BY issued, device, purpose, fingerprint"
CERTIFICATES_OF = CERTIFICATES + "WHERE device = $1 " + _OLDEST_FIRST
ADD_CERTIFICATE = (
    "INSERT INTO certificate (fingerprint, device, purpose, key_id, begins, ends, pem, issued) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


def certificate_columns(certificate: Certificate, at: datetime) -> tuple[object, ...]:
    """The values of ADD_CERTIFICATE."""
    return (
        certificate.fingerprint,
        certificate.device,
        certificate.purpose.value,
        certificate.key_id,
        certificate.begins,
        certificate.ends,
        certificate.pem,
        at,
    )


def certificate_of(row: Sequence[object]) -> Certificate:
    """A certificate from the columns of CERTIFICATES."""
    return Certificate(
        fingerprint=str(row[0]),
        device=str(row[1]),
        purpose=Purpose(str(row[2])),
        key_id=str(row[3]),
        begins=time_of(row[4]),
        ends=time_of(row[5]),
        pem=str(row[6]),
        revoked=None if row[7] is None else time_of(row[7]),
        reason=None if row[8] is None else str(row[8]),
    )


def time_of(value: object) -> datetime:
    """A stored time, of either database. Raises DatabaseDamaged: we wrote it ourselves."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise DatabaseDamaged("a time in the database is not one") from error
