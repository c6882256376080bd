"""The download door against a real TLS server: only the whole, right file ever lies under its name."""

import contextlib
import hashlib
import itertools
import os
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.download import Downloader
from models.errors import SourceUnusable
from sync.clock import SystemClock
from sync.fund.home import FundHome
from tests.fakes.documents import make_fund_home
from tests.fakes.tls_server import Answer, reply, tls_server

WEIGHTS = bytes(range(256)) * 800
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> FundHome:
    """A certificate authority, and a server's certificate for 127.0.0.1."""
    return make_fund_home(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def fetch(authority: FundHome, tmp_path: Path) -> Callable[[Answer], Path]:
    """Fetches the weights from a server that answers so; gives where they lie."""

    def fetched(answer: Answer) -> Path:
        target = tmp_path / "net.onnx"
        with tls_server(authority.server, answer) as port:
            downloader = Downloader(SystemClock().monotonic, authorities=authority.ca_certificate)
            downloader.fetch(f"https://127.0.0.1:{port}/net.onnx", target, SHA256, len(WEIGHTS))
        return target

    return fetched


def _ranged(heads: list[bytes]) -> Answer:
    """A server that knows ranges, and keeps what it was asked."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        heads.append(head)
        found = re.search(rb"\r\nRange: bytes=(\d+)-(?:\r\n|$)", head)
        start = int(found[1]) if found else 0
        told = f"Content-Range: bytes {start}-{len(WEIGHTS) - 1}/{len(WEIGHTS)}\r\n" if found else ""
        reply(206 if found else 200, WEIGHTS[start:], told)(secure, head)

    return answer


def test_a_file_is_downloaded_and_verified(fetch: Callable[[Answer], Path], tmp_path: Path) -> None:
    """Under its name, nothing beside it; asked for without an encoding, and as the program it is."""
    heads: list[bytes] = []
    assert fetch(_ranged(heads)).read_bytes() == WEIGHTS
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    assert b"Accept-Encoding: identity" in heads[0]
    assert b"User-Agent: keldim" in heads[0]
    assert b"Range" not in heads[0]


def test_progress_is_told_to_the_end(authority: FundHome, tmp_path: Path) -> None:
    """Name, bytes there, bytes in all; never back."""
    told: list[tuple[str, int, int]] = []
    with tls_server(authority.server, reply(200, WEIGHTS)) as port:
        report = lambda name, done, size: told.append((name, done, size))  # noqa: E731
        Downloader(SystemClock().monotonic, report, authority.ca_certificate).fetch(
            f"https://127.0.0.1:{port}/", tmp_path / "net.onnx", SHA256, len(WEIGHTS)
        )
    assert told[-1] == ("net.onnx", len(WEIGHTS), len(WEIGHTS))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def _broken(after: int) -> Answer:
    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        del head
        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(WEIGHTS) + WEIGHTS[:after])

    return answer


def test_a_broken_download_goes_on_where_it_broke(fetch: Callable[[Answer], Path], tmp_path: Path) -> None:
    """What is there is not asked for again; until it is whole there is no file of that name."""
    with pytest.raises(SourceUnusable, match="broke off"):
        fetch(_broken(100_000))
    assert [path.name for path in tmp_path.iterdir()] == [".net.onnx.part"]
    heads: list[bytes] = []
    assert fetch(_ranged(heads)).read_bytes() == WEIGHTS
    assert b"Range: bytes=100000-" in heads[0]


def test_a_server_without_ranges_starts_over(fetch: Callable[[Answer], Path]) -> None:
    """It sends everything again, and that is not put behind what was there."""
    with pytest.raises(SourceUnusable):
        fetch(_broken(100_000))
    assert fetch(reply(200, WEIGHTS)).read_bytes() == WEIGHTS


def test_a_part_that_is_another_file_is_thrown_away(fetch: Callable[[Answer], Path], tmp_path: Path) -> None:
    """The hash tells; the next try gets it all."""
    part = tmp_path / ".net.onnx.part"
    part.write_bytes(bytes(100_000))
    with pytest.raises(SourceUnusable, match="altered"):
        fetch(_ranged([]))
    assert not part.exists()
    assert fetch(_ranged([])).read_bytes() == WEIGHTS


def _endless(secure: ssl.SSLSocket, head: bytes) -> None:
    del head
    secure.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in itertools.repeat(None, 100):
            secure.sendall(WEIGHTS)


def _noise(secure: ssl.SSLSocket, head: bytes) -> None:
    del head
    secure.sendall(b"nonsense\r\n\r\n")


def _nothing(secure: ssl.SSLSocket, head: bytes) -> None:
    """Hang up."""
    del secure, head


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(404), "127.0.0.1 answers 404"),
        (reply(500), "127.0.0.1 answers 500"),
        (reply(204), "127.0.0.1 answers 204"),
        (reply(200, WEIGHTS[:-1]), "instead of"),
        (reply(200, WEIGHTS + b"x"), "instead of"),
        (reply(200, WEIGHTS[:-1] + b"x"), "altered"),
        (reply(200, WEIGHTS, "Content-Encoding: gzip\r\n"), "encoding nobody asked for"),
        (_endless, "more than its"),
        (reply(302, b"", "Location: http://127.0.0.1:1/net.onnx\r\n"), "not https"),
        (reply(302, b"", "Location: file:///etc/passwd\r\n"), "not https"),
        (reply(302, b"", "Location: /again\r\n"), "leads on without end"),
        (_noise, "cannot be reached"),
        (_nothing, "cannot be reached"),
    ],
    ids=["404", "500", "204", "short", "long", "bit", "gzip", "endless", "http", "file", "loop", "noise", "nothing"],
)
def test_nothing_a_server_says_becomes_a_file(
    fetch: Callable[[Answer], Path], tmp_path: Path, answer: Answer, said: str
) -> None:
    """Every failure is the known one, and neither the file nor a useless part of it stays."""
    with pytest.raises(SourceUnusable, match=said):
        fetch(answer)
    assert list(tmp_path.iterdir()) == [] or (tmp_path / ".net.onnx.part").stat().st_size == 0


@pytest.mark.parametrize("status", [206, 416])
def test_an_answer_to_another_question_is_refused(fetch: Callable[[Answer], Path], tmp_path: Path, status: int) -> None:
    """Another part than the one asked for, or none."""
    (tmp_path / ".net.onnx.part").write_bytes(WEIGHTS[:1000])
    with pytest.raises(SourceUnusable, match="another"):
        fetch(reply(status, WEIGHTS[500:], f"Content-Range: bytes 500-{len(WEIGHTS) - 1}/{len(WEIGHTS)}\r\n"))
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_to_https_is_followed(fetch: Callable[[Answer], Path]) -> None:
    """As GitHub does for large files."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        moved = head.startswith(b"GET /elsewhere ")
        (reply(200, WEIGHTS) if moved else reply(302, b"", "Location: /elsewhere\r\n"))(secure, head)

    assert fetch(answer).read_bytes() == WEIGHTS


def test_a_certificate_nobody_vouches_for_is_refused(authority: FundHome, tmp_path: Path) -> None:
    """The machine's store does not know this authority; nor does it vouch for another name."""
    with tls_server(authority.server, reply(200, WEIGHTS)) as port:
        for downloader, host in (
            (Downloader(SystemClock().monotonic), "127.0.0.1"),
            (Downloader(SystemClock().monotonic, authorities=authority.ca_certificate), "localhost"),
        ):
            with pytest.raises(SourceUnusable, match="does not verify"):
                downloader.fetch(f"https://{host}:{port}/", tmp_path / "net.onnx", SHA256, len(WEIGHTS))


def test_the_environment_changes_nothing(authority: FundHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor a bundle of certificates from there."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.devnull)
    with tls_server(authority.server, reply(200, WEIGHTS)) as port:
        downloader = Downloader(SystemClock().monotonic, authorities=authority.ca_certificate)
        downloader.fetch(f"https://127.0.0.1:{port}/", tmp_path / "net.onnx", SHA256, len(WEIGHTS))
    assert (tmp_path / "net.onnx").read_bytes() == WEIGHTS


def test_plain_http_is_not_spoken(tmp_path: Path) -> None:
    """Not even when a recipe says so."""
    with pytest.raises(SourceUnusable, match="not https"):
        Downloader(SystemClock().monotonic).fetch("http://127.0.0.1:1/", tmp_path / "net.onnx", SHA256, len(WEIGHTS))


def _seconds(step: float) -> Callable[[], float]:
    ticks: Iterator[float] = (step * count for count in itertools.count())
    return lambda: next(ticks)


def test_a_server_that_drips_is_given_up(authority: FundHome, tmp_path: Path) -> None:
    """A clock that runs quickly stands for a server that is slow; what came stays for the next try."""

    def drip(secure: ssl.SSLSocket, head: bytes) -> None:
        del head
        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(WEIGHTS))
        with contextlib.suppress(OSError):
            for at in range(50):
                secure.sendall(WEIGHTS[at : at + 1])

    with tls_server(authority.server, drip) as port:
        downloader = Downloader(_seconds(40), authorities=authority.ca_certificate)
        with pytest.raises(SourceUnusable, match="hardly sends anything"):
            downloader.fetch(f"https://127.0.0.1:{port}/", tmp_path / "net.onnx", SHA256, len(WEIGHTS))
    assert 0 < (tmp_path / ".net.onnx.part").stat().st_size <= 50


def test_a_folder_that_cannot_be_written_is_told(authority: FundHome, tmp_path: Path) -> None:
    """Before anything is asked for."""
    (tmp_path / "file").write_text("x")
    with tls_server(authority.server, reply(200, WEIGHTS)) as port:
        downloader = Downloader(SystemClock().monotonic, authorities=authority.ca_certificate)
        with pytest.raises(SourceUnusable, match="cannot be written"):
            downloader.fetch(f"https://127.0.0.1:{port}/", tmp_path / "file" / "net", SHA256, len(WEIGHTS))
