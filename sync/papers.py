"""The files that a desk needs while it joins its fund or renews: invitation, request, and keys on their way into use.

The files of every day are `home`'s. When each of these is written is left to `provision` and `install`.
"""

from dataclasses import dataclass
from pathlib import Path

from sync.durable import replace_file
from sync.errors import DiskFailing
from sync.home import Home
from sync.join_errors import InvitationInvalid, JoinIncomplete
from sync.joining import MAX_MESSAGE, Invitation, Request, read_invitation, read_request


@dataclass(frozen=True, slots=True)
class Papers:
    """Paths below one desk's home, and the two messages among them."""

    home: Home

    @property
    def invitation_file(self) -> Path:
        """The invitation that this desk follows; names the fund's keys."""
        return self.home.fund / "invitation.jws"

    @property
    def request_file(self) -> Path:
        """What the desk asked the fund for last; public."""
        return self.home.root / "request.jws"

    @property
    def answer_file(self) -> Path:
        """The answer that was installed last: marks that nothing of it is left to do."""
        return self.home.fund / "answer.jws"

    @property
    def request_key(self) -> Path:
        """Opens the secret in the answer to the request; gone once that is installed."""
        return self.home.keys / "request.key"

    @property
    def tls_request_key(self) -> Path:
        """The TLS key that the request asks a certificate for; gone once it is in use."""
        return self.home.keys / "tls-request.key"

    @property
    def tls_next_key(self) -> Path:
        """The TLS key for which the sync process renews the certificate; gone once it is in use."""
        return self.home.keys / "tls-next.key"

    def invitation(self) -> Invitation:
        """The invitation. Raises JoinIncomplete: none was given yet; InvitationInvalid, DiskFailing."""
        if not self.invitation_file.exists():
            raise JoinIncomplete("this desk has no invitation of a fund")
        return read_invitation(read_message(self.invitation_file))

    def request(self) -> tuple[str, Request] | None:
        """The request that was made last, with its token; None before any. Raises RequestInvalid, DiskFailing."""
        if not self.request_file.exists():
            return None
        token = read_message(self.request_file)
        return token, read_request(token)

    def installed(self, answer: str) -> bool:
        """Whether this answer was installed, to its end. Raises DiskFailing."""
        return self.answer_file.exists() and read_message(self.answer_file) == answer

    def keep_installed(self, answer: str) -> None:
        """Remember that this answer was installed. Raises DiskFailing."""
        write_message(self.answer_file, answer)

    def tidy(self) -> None:
        """Remove the keys that were for the last request only."""
        self.request_key.unlink(missing_ok=True)
        self.tls_request_key.unlink(missing_ok=True)


def read_message(file: Path) -> str:
    """The token in a file, without the line end. Raises InvitationInvalid: too long, not text; DiskFailing."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_MESSAGE + 2)
        return content.decode("ascii").strip()
    except OSError as error:
        raise DiskFailing(f"{file.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvitationInvalid(f"{file.name} is not a message of desk or fund") from error


def write_message(file: Path, token: str) -> None:
    """Write a token as a file of one line, in place of an older one. Raises DiskFailing."""
    try:
        replace_file(file, token.encode("ascii") + b"\n")
    except OSError as error:
        raise DiskFailing(f"{file.name} cannot be written: {error.strerror}") from error
