"""The desk's connection, with a TLS certificate that is taken up when it changes and renewed before it ends.

The connection itself is `transport`'s, keys and files are `tls_key`'s. A renewal that fails is tried again at the next
contact with the fund; it never holds up a delivery.
"""

import contextlib
import logging
from collections.abc import Callable

from sync.certificates import read_tls_certificate
from sync.clock import Clock
from sync.errors import CertificateInvalid, DeviceRefused, KeyUnusable, SyncFailure, TransportFailure
from sync.home import Home, SyncSettings
from sync.join_errors import CertificateEnded
from sync.papers import Papers
from sync.strict_json import Members, dump
from sync.tls_key import due, put_into_use, tls_certificate_in, tls_key_of, tls_request
from sync.transport import Transport

_log = logging.getLogger(__name__)


class DeskTransport(Transport):
    """The way to the fund for a desk that shows its certificate, and renews it when it has asked for the head."""

    def __init__(
        self, home: Home, settings: SyncSettings, clock: Clock, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Show the certificate that is there. Raises SettingsInvalid, KeyUnusable."""
        super().__init__(settings.fund, settings.device.device, clock, stopped)
        self._home = home
        self._device = settings.device.device
        self._time = clock
        self._shown: tuple[int, int] | None = None
        self._take_up()

    def get_head(self, nonce: str) -> bytes:
        """As `Transport.get_head`; CertificateEnded is one of its TransportFailures."""
        try:
            self._take_up()
            answer = super().get_head(nonce)
        except (TransportFailure, DeviceRefused) as failure:  # a proxy refuses in words, the gateway in the handshake
            if self._ended():
                raise CertificateEnded(f"this desk's TLS certificate has ended; {failure}") from failure
            raise
        except KeyUnusable as failure:
            raise TransportFailure(str(failure)) from failure
        try:
            self._renew()
        except SyncFailure as failure:
            _log.warning("the TLS certificate was not renewed: %s %s", failure.code, failure)
        return answer

    def _take_up(self) -> None:
        """Show the certificate in the file, also when somebody has installed another one meanwhile."""
        if not self._home.tls.exists():
            return
        status = self._home.tls.stat()
        identity = (status.st_ino, status.st_mtime_ns)
        if identity != self._shown:
            self.show(self._home.tls)
            self._shown = identity

    def _ended(self) -> bool:
        with contextlib.suppress(KeyUnusable, CertificateInvalid):  # then that was the failure
            ends = tls_certificate_in(self._home.tls, self._home.device_ca.read_bytes()).ends
            return self._time.moment().wall >= ends
        return False

    def _renew(self) -> None:
        """Raises SyncFailure."""
        authority = self._home.device_ca.read_bytes() if self._home.tls.exists() else None
        if authority is None or not due(tls_certificate_in(self._home.tls, authority), self._time.moment().wall):
            return
        key_file = Papers(self._home).tls_next_key
        body = self.renew_tls(dump({"csr": tls_request(key_file, self._device)}))
        pem = Members.parse(body).text("certificate").encode("utf-8")
        new = read_tls_certificate(pem, authority)
        if new.device != self._device or new.public_jwk != tls_key_of(key_file):
            raise CertificateInvalid("the fund's new TLS certificate is for another device or key")
        put_into_use(key_file, pem, self._home.tls)
        self._take_up()
        _log.info("TLS certificate renewed until %s", new.ends.date())
