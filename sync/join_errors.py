"""The failures of joining a fund: invitation, request, answer, admission, revocation.

The root of them and the failures of everything else are in `errors`.
"""

from sync.errors import SyncFailure, TransportFailure


class InvitationInvalid(SyncFailure):
    """What should be a fund's invitation is not, was altered on the way, or names an impossible desk."""

    code = "E-JOIN-01"
    remedy = "Ask the fund for the file again: keldim fund invite. Compare the fund's key by telephone."


class InvitationSpent(SyncFailure):
    """The invitation has ended, or another request has used it."""

    code = "E-JOIN-02"
    remedy = "Ask the fund for a new invitation, then run: keldim device request --invitation FILE"


class RequestInvalid(SyncFailure):
    """What should be a desk's request is not, was altered, or contradicts what the fund knows."""

    code = "E-JOIN-03"
    remedy = "Issue nothing. Take the file from the desk again; a desk with a new key needs a new device id."


class KeyClassRefused(SyncFailure):
    """The desk's key is kept in a weaker place than the fund accepts."""

    code = "E-JOIN-04"
    remedy = "Give the desk a TPM or a token; a trial desk is let in with: keldim fund admit --key-class file"


class AnswerInvalid(SyncFailure):
    """What should be the fund's answer is not, was altered, or answers another request; nothing was changed."""

    code = "E-JOIN-05"
    remedy = "Take the file from the fund again, or make a new request: keldim device request"


class JoinIncomplete(SyncFailure):
    """A step of joining the fund has not been taken yet."""

    code = "E-JOIN-06"
    remedy = "Run in this order: keldim device init, device request, and, with the fund's answer, device install."


class DeviceRevoked(SyncFailure):
    """The fund has revoked this desk's certificates."""

    code = "E-JOIN-07"
    remedy = "Visits go on and are kept. The fund lets the desk in again with a new invitation: keldim fund invite"


class CertificateEnded(TransportFailure):
    """The desk's TLS certificate has ended, so the fund does not talk to it."""

    code = "E-JOIN-08"
    remedy = "Nothing is lost. Look at the clock; if it is right: keldim device renew"
