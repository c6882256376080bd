"""How this desk stands with its fund, from the files it holds: which step it has taken, and what ends when.

What the fund says over the network is left to `outbox`. Nothing is changed here.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from sync.certificates import read_device_certificate
from sync.home import Home, is_installed, load_key_settings
from sync.papers import Papers
from sync.tls_key import tls_certificate_in

WARN_BEFORE: Final = timedelta(days=30)
"""A month: the answer to a request may come by post."""


class Step(StrEnum):
    """How far the desk has come."""

    NOTHING = "nothing"
    MADE = "made"
    REQUESTED = "requested"
    INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class Membership:
    """What a desk knows of its membership.

    device, attested, certificate_ends, tls_ends: None before it is installed; tls_ends also to the desk's own process,
    where delivery is another user's (`sharing`). attested: "proven" or "claimed", by the certificate. renewing: a
    request to renew waits for its answer. fund_key: thumbprint of the fund's key, None before an invitation; people
    compare it.
    """

    step: Step
    key_class: str
    device: str | None = None
    attested: str | None = None
    certificate_ends: datetime | None = None
    tls_ends: datetime | None = None
    renewing: bool = False
    fund_key: str | None = None

    def warnings(self, now: datetime) -> tuple[str, ...]:
        """What somebody should see to; visits go on whatever it is."""
        told = []
        for name, ends, remedy in (
            ("the device certificate", self.certificate_ends, "renew it: keldim device renew"),
            ("the TLS certificate", self.tls_ends, "it renews itself when the fund is reached; see keldim sync status"),
        ):
            if ends is not None and now >= ends:
                told.append(f"{name} has ended, nothing is delivered; {remedy}")
            elif ends is not None and now >= ends - WARN_BEFORE:
                told.append(f"{name} ends in {(ends - now).days} days; {remedy}")
        return tuple(told)


def read_membership(home: Home) -> Membership:
    """The desk's membership. Raises SettingsInvalid, CertificateInvalid, KeyUnusable, and as `Papers`."""
    papers = Papers(home)
    if not home.config.exists():
        return Membership(Step.NOTHING, "none")
    key_class = load_key_settings(home).key_class.value
    made = papers.request()
    fund_key = papers.invitation().fund.public_jwk.thumbprint if papers.invitation_file.exists() else None
    if not is_installed(home):
        return Membership(Step.REQUESTED if made else Step.MADE, key_class, fund_key=fund_key)
    authority = home.device_ca.read_bytes()
    device = read_device_certificate(home.certificate.read_bytes(), authority)
    return Membership(
        step=Step.INSTALLED,
        key_class=key_class,
        device=device.facts.device,
        attested=device.facts.attested,
        certificate_ends=device.ends,
        tls_ends=None if _of_another(home.tls) else tls_certificate_in(home.tls, authority).ends,
        renewing=made is not None and made[1].renews == device.fingerprint,
        fund_key=fund_key,
    )


def _of_another(path: Path) -> bool:
    """Whether a file is another user's secret; that one sees to its end."""
    return path.exists() and path.stat().st_uid != os.geteuid() and not os.access(path, os.R_OK)
