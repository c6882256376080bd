"""Where a gateway listens: a port, or a unix socket of its owner and group."""

import socket
import stat
from pathlib import Path

import pytest

from sync.errors import AddressInUse
from sync.fund.listening import bind, bound


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 0), ("..", 0), ("a\0b", 0), ("127.0.0.1", 70_000)])
def test_an_impossible_address_is_named(host: str, port: int) -> None:
    """Not ours, not a name, not a port."""
    with pytest.raises(AddressInUse):
        bind(host, port)


def test_a_unix_socket_is_for_owner_and_group_and_goes_with_its_gateway(tmp_path: Path) -> None:
    """Mode 0660 as soon as anybody can connect; nothing stays."""
    path = tmp_path / "gateway.sock"
    with bound(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    assert not path.exists()


def test_a_socket_that_a_dead_gateway_left_is_taken_over(tmp_path: Path) -> None:
    """Kill -9 leaves the name; nobody answers there."""
    path = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with bound(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_that_another_gateway_answers_at_is_left_alone(tmp_path: Path) -> None:
    """The second one is told, the first one goes on."""
    path = tmp_path / "gateway.sock"
    with bound(path):
        with pytest.raises(AddressInUse, match="another gateway answers"), bound(path):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_file_in_the_sockets_place_is_not_removed(tmp_path: Path) -> None:
    """It may be anybody's."""
    path = tmp_path / "gateway.sock"
    path.write_text("mine")
    with pytest.raises(AddressInUse, match="is no socket"), bound(path):
        pass
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["missing/gateway.sock", "x" * 200])
def test_a_path_that_cannot_be_a_socket_is_named(tmp_path: Path, name: str) -> None:
    """No such folder; longer than the system allows."""
    with pytest.raises(AddressInUse, match="cannot listen"), bound(tmp_path / name):
        pass
