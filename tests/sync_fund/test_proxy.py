"""The configuration of nginx: what was given is in it, and nothing else can get into it."""

import shutil
from pathlib import Path

import pytest

from sync.errors import ProxyImpossible
from sync.fund.office import create_fund
from sync.fund.proxy import nginx_configuration
from tests.sync_fund.desk import NOON


def test_several_gateways_need_a_database_for_several(tmp_path: Path) -> None:
    """A fund in a file has one."""
    create_fund(tmp_path / "fund", "https://fund.example", NOON)
    one, two = Path("/run/keldim/1.sock"), Path("/run/keldim/2.sock")
    assert f"server unix:{one} " in nginx_configuration(tmp_path / "fund", [one])
    for sockets in ([one, two], []):
        with pytest.raises(ProxyImpossible, match="served by one gateway"):
            nginx_configuration(tmp_path / "fund", sockets)


def test_the_fund_is_served_at_its_own_address_unless_told(tmp_path: Path) -> None:
    """Port of the address, or 443; both families."""
    create_fund(tmp_path / "fund", "https://fund.example", NOON)
    made = nginx_configuration(tmp_path / "fund", [Path("/run/g.sock")])
    assert "listen 443 ssl default_server;" in made
    assert "listen [::]:443 ssl default_server;" in made
    told_so = nginx_configuration(tmp_path / "fund", [Path("/run/g.sock")], ["192.0.2.1:8443", "[2001:db8::1]:8443"])
    assert "listen 443" not in told_so
    assert "listen [2001:db8::1]:8443 ssl default_server;" in told_so


@pytest.mark.parametrize(
    "listen",
    [
        "",
        "0",
        "70000",
        "fund.example:443",
        "443; root /",
        "127.0.0.1:443 ssl",
        "2001:db8::1:443",
        "[fe80::1%;]:443",
        "[x]:1",
    ],
)
def test_what_is_no_address_does_not_get_into_the_configuration(tmp_path: Path, listen: str) -> None:
    """Nothing that is typed becomes a directive."""
    create_fund(tmp_path / "fund", "https://fund.example", NOON)
    with pytest.raises(ProxyImpossible):
        nginx_configuration(tmp_path / "fund", [Path("/run/g.sock")], [listen])


@pytest.mark.parametrize("path", ["run/g.sock", "/run/g.sock; root /", "/run/$host", "/run/g sock", "/run/{", "/r\n/x"])
def test_a_path_that_means_something_to_nginx_is_refused(tmp_path: Path, path: str) -> None:
    """The socket's and the fund's own."""
    create_fund(tmp_path / "fund", "https://fund.example", NOON)
    with pytest.raises(ProxyImpossible, match="path"):
        nginx_configuration(tmp_path / "fund", [Path(path)])
    shutil.copytree(tmp_path / "fund", tmp_path / "a fund")
    with pytest.raises(ProxyImpossible, match="path"):
        nginx_configuration(tmp_path / "a fund", [Path("/run/g.sock")])


def test_no_location_sets_a_header_of_its_own(tmp_path: Path) -> None:
    """In nginx it would then inherit none of the server's: the client's certificate header would get through."""
    create_fund(tmp_path / "fund", "https://fund.example", NOON)
    made = nginx_configuration(tmp_path / "fund", [Path("/run/g.sock")])
    assert made.count("proxy_set_header x-keldim-client-certificate $keldim_certificate;") == 1
    locations = [part.partition("\n    }")[0] for part in made.split("\n    location ") if "internal;" not in part][1:]
    assert len([one for one in locations if "proxy_pass" in one]) == 3
    assert not any("proxy_set_header" in one for one in locations)
