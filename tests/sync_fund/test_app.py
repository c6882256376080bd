"""The gateway over HTTPS, as a real server: limits, status codes, hostile bytes, many desks at once."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from sync.database import immediate, open_database
from sync.fund.app import DRAIN, read_body
from sync.fund.audit import verify_fund
from sync.fund.denial import RequestDenied
from sync.fund.home import FundHome
from sync.fund.office import block_device, list_events
from sync.keyfile import load_key
from sync.protocol import MAX_BODY, Result, read_head, read_receipt
from sync.squeeze import squeeze
from tests.sync_fund.conftest import Running, live_fund, served
from tests.sync_fund.desk import FakeDesk, batch, receipts_of

NONCE = "0123456789abcdef" * 2


def _offer(running: Running, desk: FakeDesk, tokens: list[str]) -> list[str]:
    answer = running.post(desk.device, batch(tokens))
    assert answer.status_code == 200, answer.text
    receipts = receipts_of(answer.content, running.fund.document.public_jwk, desk.device, tokens)
    return [receipt.result.value for receipt in receipts]


def _assert_denied(answer: requests.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"code", "message"}
    assert body["code"] == code
    assert body["message"]


@pytest.fixture
def device(running: Running, tmp_path: Path) -> str:
    """A registered device."""
    return running.fund.desk(tmp_path).device


def test_events_go_in_and_signed_receipts_come_out(running: Running, tmp_path: Path) -> None:
    """Twice the same batch: accepted, then known."""
    desk = running.fund.desk(tmp_path)
    tokens = desk.chain(3)
    assert _offer(running, desk, tokens) == ["accepted"] * 3
    assert _offer(running, desk, tokens) == ["known"] * 3


def test_the_head_is_answered_also_when_blocked(running: Running, tmp_path: Path) -> None:
    """While events are denied."""
    desk = running.fund.desk(tmp_path)
    _offer(running, desk, desk.chain(2))
    block_device(running.fund.root, desk.device, "stolen")
    answer = running.get(f"/v1/devices/{desk.device}/head?nonce={NONCE}", desk)
    head = read_head(answer.content, running.fund.document.public_jwk, desk.device, NONCE)
    assert (answer.status_code, head.have, head.blocked) == (200, 2, True)
    _assert_denied(running.post(desk.device, batch([desk.next()])), 403, "device_blocked")


def test_a_head_without_a_nonce_is_denied(running: Running, tmp_path: Path) -> None:
    """None, or not one."""
    desk = running.fund.desk(tmp_path)
    _assert_denied(running.get(f"/v1/devices/{desk.device}/head", desk), 400, "malformed")
    _assert_denied(running.get(f"/v1/devices/{desk.device}/head?nonce=zz", desk), 400, "malformed")
    _assert_denied(running.get(f"/v1/devices/desk-unknown/head?nonce={NONCE}"), 403, "unknown_device")


@pytest.mark.parametrize("device", ["desk-unknown", "%00", "..%2f", "%ff%fe", "%F0%9F%99%82", "a" * 3000, "Desk"])
def test_an_unknown_device_is_denied(running: Running, device: str) -> None:
    """However it is spelled; a slash in it is another path."""
    answer = running.post(device, batch(["x"]))
    assert answer.status_code in {403, 404}
    _assert_denied(answer, answer.status_code, "unknown_device" if answer.status_code == 403 else "not_found")


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/devices", "/docs", "/redoc", "/%2e%2e/etc/passwd"])
def test_an_unknown_path_is_denied_in_json(running: Running, path: str) -> None:
    """No page of a framework, none that loads scripts from elsewhere."""
    _assert_denied(running.get(path), 404, "not_found")


def test_an_unknown_method_is_denied_in_json(running: Running) -> None:
    """Also where the path is known."""
    answer = running.session.put(running.url + "/v1/devices/desk-1/events", data=b"", timeout=20)
    _assert_denied(answer, 405, "method_not_allowed")


def test_a_squeezed_batch_is_read(running: Running, tmp_path: Path) -> None:
    """As the desk sends it."""
    desk = running.fund.desk(tmp_path)
    tokens = desk.chain(3)
    answer = running.post(desk.device, squeeze(batch(tokens)), Content_Encoding="zstd")
    receipts = receipts_of(answer.content, running.fund.document.public_jwk, desk.device, tokens)
    assert [receipt.result for receipt in receipts] == [Result.ACCEPTED] * 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (squeeze(b" " * (MAX_BODY + 1)), 413, "too_large"),
        (squeeze(bytes(400_000_000)), 413, "too_large"),
        (squeeze(b'{"events":["x"]}')[:-9], 400, "malformed"),
        (b"not a frame", 400, "malformed"),
        (b"", 400, "malformed"),
    ],
    ids=["too long", "bomb", "cut", "none", "empty"],
)
def test_a_squeezed_body_is_limited_as_a_plain_one(
    running: Running, tmp_path: Path, body: bytes, status: int, code: str
) -> None:
    """What it unpacks to counts; a bomb is not unpacked."""
    device = running.fund.desk(tmp_path).device
    _assert_denied(running.post(device, body, Content_Encoding="zstd"), status, code)


def test_only_plain_json_is_read(running: Running, tmp_path: Path) -> None:
    """No form, no archive that unpacks to gigabytes."""
    device = running.fund.desk(tmp_path).device
    _assert_denied(running.post(device, batch(["x"]), Content_Type="text/plain"), 415, "malformed")
    _assert_denied(running.post(device, batch(["x"]), Content_Encoding="gzip"), 415, "malformed")
    assert running.post(device, batch(["x"]), Content_Type="application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize("size", [MAX_BODY + 1, DRAIN, DRAIN + 1])
def test_an_oversized_body_is_denied_and_its_sender_told(running: Running, tmp_path: Path, size: int) -> None:
    """By its announced length, whatever it is."""
    try:
        answer = running.post(running.fund.desk(tmp_path).device, b" " * size)
    except requests.ConnectionError:
        assert size > DRAIN  # nobody reads so much; the connection ends
    else:
        _assert_denied(answer, 413, "too_large")


def test_an_oversized_stream_is_denied_although_it_announces_nothing(running: Running, tmp_path: Path) -> None:
    """Chunked: counted as it comes."""

    def chunks() -> Iterator[bytes]:
        for _ in range(48):
            yield b" " * 65536

    _assert_denied(running.post(running.fund.desk(tmp_path).device, chunks()), 413, "too_large")


def _read(messages: list[Message], seconds: float = 5) -> bytes:
    """Read a body that comes in these messages, then nothing more."""

    async def receive() -> Message:
        return messages.pop(0) if messages else await asyncio.sleep(60, {"type": "http.disconnect"})

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    return asyncio.run(read_body(Request(scope, receive), seconds))


def test_a_body_that_does_not_come_is_given_up() -> None:
    """408, and the place in the queue is free again."""
    with pytest.raises(RequestDenied) as denied:
        _read([{"type": "http.request", "body": b"{", "more_body": True}], 0.01)
    assert denied.value.status == 408


def test_a_body_without_end_is_given_up() -> None:
    """Only so much is thrown away for the sender's sake; nothing of it is kept."""
    chunk: Message = {"type": "http.request", "body": b" " * MAX_BODY, "more_body": True}
    messages = [chunk] * 9
    with pytest.raises(RequestDenied) as denied:
        _read(messages)
    assert (denied.value.status, len(messages)) == (413, 4)


def test_a_body_at_the_limit_is_read(running: Running, tmp_path: Path) -> None:
    """White space is JSON too."""
    desk = running.fund.desk(tmp_path)
    body = batch([desk.next()])
    assert running.post(desk.device, body + b" " * (MAX_BODY - len(body))).status_code == 200


@pytest.mark.parametrize("length", ["99999999999999999999999", "-1", "1e9", "0x10", "5, 6"])
def test_a_hostile_length_is_denied(running: Running, tmp_path: Path, length: str) -> None:
    """Before anything is read."""
    desk = running.fund.desk(tmp_path)
    with running.wire(desk) as wire:
        wire.sendall(
            f"POST /v1/devices/{desk.device}/events HTTP/1.1\r\nHost: fund\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        assert int(wire.recv(4096).split()[1]) in {400, 413}


def test_a_desk_that_hangs_up_hurts_nobody(running: Running, tmp_path: Path) -> None:
    """In the middle of its body; not even itself, as soon as the gateway has noticed."""
    desk = running.fund.desk(tmp_path)
    for _ in range(5):
        with running.wire(desk) as wire:
            wire.sendall(
                f"POST /v1/devices/{desk.device}/events HTTP/1.1\r\nHost: fund\r\n"
                'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"events":['.encode()
            )
    for _ in range(200):
        if (answer := running.get(f"/v1/devices/{desk.device}/head?nonce={NONCE}", desk)).status_code != 429:
            break
    assert answer.status_code == 200
    assert _offer(running, desk, [desk.next()]) == ["accepted"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_any_bytes_are_denied_not_suffered(running: Running, device: str, body: bytes) -> None:
    """Never a 5xx."""
    answer = running.post(device, body)
    _assert_denied(answer, 400, "malformed")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=_JSON | st.lists(st.text(), min_size=1, max_size=4))
def test_any_json_is_answered(running: Running, device: str, events: object) -> None:
    """Strings get a signed rejection of each; everything else is denied."""
    answer = running.post(device, json.dumps({"events": events}).encode())
    if answer.status_code == 200:
        assert isinstance(events, list)
        read = read_receipt(answer.json()["receipt"], running.fund.document.public_jwk)
        assert [decision.result for decision in read.receipt.decisions] == [Result.REJECTED] * len(events)
    else:
        _assert_denied(answer, 400, "malformed")


def test_many_desks_and_two_clients_for_one_desk_at_once(running: Running, tmp_path: Path) -> None:
    """Each event once, each chain whole, whoever comes first."""
    desks = [running.fund.desk(tmp_path) for _ in range(4)]
    chains = {desk.device: desk.chain(40) for desk in desks}

    def deliver(device: str, step: int) -> int:
        """A client that starts again wherever the fund says; how many events it saw accepted."""
        accepted = have = 0
        with requests.Session() as session:
            session.trust_env, session.verify = False, running.session.verify
            session.cert = str(running.fund.tls_file(device))
            while have < 40:
                sent = chains[device][have : have + step]
                answer = session.post(
                    f"{running.url}/v1/devices/{device}/events",
                    data=batch(sent),
                    headers={"Content-Type": "application/json"},
                    timeout=20,
                )
                receipts = receipts_of(answer.content, running.fund.document.public_jwk, device, sent)
                accepted += sum(receipt.result is Result.ACCEPTED for receipt in receipts)
                have = receipts[-1].have
        return accepted

    with ThreadPoolExecutor(8) as pool:
        jobs = [(device, pool.submit(deliver, device, step)) for device in chains for step in (7, 10)]
        accepted = dict.fromkeys(chains, 0)
        for device, job in jobs:
            accepted[device] += job.result()
    assert set(accepted.values()) == {40}
    report = verify_fund(running.fund.root)
    assert report.missing == 0
    mine = [row.event for row in list_events(running.fund.root) if row.event.device in chains]
    assert len(mine) == 160
    assert {event.token for event in mine} == {token for chain in chains.values() for token in chain}


def test_the_page_is_for_people_and_loads_nothing(running: Running, tmp_path: Path) -> None:
    """Names from outside are text; the policy forbids the rest."""
    desk = FakeDesk(tmp_path)
    running.fund.admit(desk, clinic="<b>&\"'")
    answer = running.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert desk.device in answer.text
    assert "<b>" not in answer.text
    assert "&lt;b&gt;&amp;" in answer.text


def test_health_says_when_nothing_can_be_stored(tmp_path: Path) -> None:
    """Another process holds the database: 503 until it lets go, then on as before."""
    fund = live_fund(tmp_path / "fund")
    desk, home = fund.desk(tmp_path), FundHome(fund.root)
    with served(fund) as running:
        assert running.get("/healthz").json() == {"status": "ok"}
        token = desk.next()
        blocker = open_database(home.database, load_key(home.database_key), [])
        with contextlib.closing(blocker), immediate(blocker):
            answer = running.get("/healthz")
        _assert_denied(answer, 503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
        assert _offer(running, desk, [token]) == ["accepted"]


def test_the_description_names_every_way_and_answer(running: Running) -> None:
    """Clients in other languages are generated from it."""
    description = running.get("/openapi.json").json()
    events = description["paths"]["/v1/devices/{device}/events"]["post"]
    assert set(events["responses"]) >= {"200", "400", "403", "413", "503"}
    assert events["requestBody"]["content"]["application/json"]["schema"]["required"] == ["events"]
    of_device = {f"/v1/devices/{{device}}/{what}" for what in ("events", "head", "inclusion")}
    of_log = {f"/v1/log/{what}" for what in ("checkpoint", "growth", "cosignatures", "tile/{path}")}
    of_device.add("/v1/devices/{device}/tls-certificate")
    assert set(description["paths"]) == {
        "/",
        "/healthz",
        *of_device,
        *of_log,
    }
