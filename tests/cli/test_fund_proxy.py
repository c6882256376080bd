"""nginx before a fund, by commands: its configuration, its certificate, and the gateway's side of it."""

from pathlib import Path

import pytest

from sync.errors import ProxyImpossible
from tests.cli.terminal import keldim

SOCKET = "/run/keldim-fund/1.sock"


@pytest.fixture
def fund(tmp_path: Path) -> tuple[str, Path]:
    """The option that names a new fund."""
    assert keldim("fund", "init", "--dir", tmp_path / "fund", "--url", "https://fund.example:8443").code == 0
    return "--dir", tmp_path / "fund"


def test_the_configuration_is_printed_or_written(tmp_path: Path, fund: tuple[str, Path]) -> None:
    """The same text either way, byte for byte, and what to do with it."""
    printed = keldim("fund", "nginx", *fund, "--socket", SOCKET)
    assert f"    server unix:{SOCKET} " in printed.out
    assert "    listen [::]:8443 ssl default_server;" in printed.out
    out = tmp_path / "keldim.conf"
    written = keldim("fund", "nginx", *fund, "--socket", SOCKET, "--out", out)
    assert (written.code, out.read_text()) == (0, printed.out)
    assert "nginx -t && systemctl reload nginx" in written.out


def test_what_cannot_be_configured_is_said(tmp_path: Path, fund: tuple[str, Path]) -> None:
    """Two gateways on a file, a port that is none, a place that cannot be written: one line and a remedy."""
    one = ("fund", "nginx", *fund, "--socket", SOCKET)
    for more in (("--socket", "/run/2.sock"), ("--listen", "x"), ("--out", tmp_path / "missing" / "keldim.conf")):
        said = keldim(*one, *more)
        assert (said.code, said.err.split()[0]) == (3, ProxyImpossible.code)
        assert ProxyImpossible.remedy in said.err


def test_a_certificate_is_renewed_when_it_is_due(tmp_path: Path, fund: tuple[str, Path]) -> None:
    """Not before; a missing one is made."""
    server = tmp_path / "fund" / "keys" / "server.pem"
    before = server.read_bytes()
    assert keldim("fund", "renew-certificate", *fund).out == "not due yet\n"
    assert server.read_bytes() == before
    server.unlink()
    assert "systemctl reload nginx" in keldim("fund", "renew-certificate", *fund).out
    assert server.read_bytes() != before


@pytest.mark.parametrize("half", [("--behind-proxy",), ("--socket", SOCKET)], ids=["proxy", "socket"])
def test_a_socket_and_its_proxy_go_together(fund: tuple[str, Path], half: tuple[str, ...]) -> None:
    """What comes through a socket is believed, so both have to be said."""
    told = keldim("fund", "serve", *fund, *half)
    assert (told.code, told.out) == (2, "")
    assert "go together" in told.err


def test_several_gateways_are_not_measured_on_a_file() -> None:
    """The bench starts what a fund may start."""
    told = keldim("bench", "sync", "--gateways", "2")
    assert told.code == 2
    assert "several need" in told.err
