"""The gateway against its own OpenAPI description: whatever is sent, the answer is one that the description names.

Requests are made by schemathesis from the description (valid ones and broken ones), always the same ones, and sent to a
real server over TLS, as a registered device.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sync.fund.home import FundHome
from sync.log_checkpoint import MAX_SIZE
from sync.squeeze import squeeze
from tests.sync_fund.conftest import Running
from tests.sync_fund.desk import batch
from tests.sync_fund.logs import BlockingLog

Case: TypeAlias = schemathesis.Case[Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ALWAYS_THE_SAME = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/v1/devices/{device}/head"),
    ("GET", "/v1/devices/{device}/inclusion"),
    ("GET", "/v1/log/checkpoint"),
    ("GET", "/v1/log/growth"),
    ("GET", "/v1/log/tile/{path}"),
    ("POST", "/v1/devices/{device}/events"),
    ("POST", "/v1/devices/{device}/tls-certificate"),
    ("POST", "/v1/log/cosignatures"),
]
NOTHING_TO_BREAK = {"/", "/healthz", "/v1/log/checkpoint"}
"""Without a parameter or a body, so that only the right request can be made."""

MADE = [
    pytest.param(method, path, mode, id=f"{method} {path} {mode.value}")
    for method, path in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or path not in NOTHING_TO_BREAK
]


@dataclass(frozen=True, slots=True)
class Target:
    """A running gateway, its description, and a device that may ask."""

    running: Running
    device: str
    schema: schemathesis.BaseSchema


@pytest.fixture(scope="module")
def target(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """See Target; the log has a checkpoint with an event."""
    desk = running.fund.desk(tmp_path_factory.mktemp("desk"))
    assert running.post(desk.device, batch(desk.chain(3))).status_code == 200
    with BlockingLog(FundHome(running.fund.root)) as log:
        log.advance()
    schema = schemathesis.openapi.from_dict(running.get("/openapi.json").json())
    return Target(running, desk.device, schema)


def _send(target: Target, case: Case, *, known: bool) -> None:
    """Send it over the device's connection; raises what schemathesis finds."""
    if known and "device" in case.path_parameters:
        case.path_parameters["device"] = target.device
    case.call_and_validate(
        base_url=target.running.url,
        session=target.running.session,
        checks=CHECKS,
        verify=target.running.session.verify,
        cert=str(target.running.fund.tls_file(target.device)),
        timeout=20,
    )


def test_every_operation_is_fuzzed(target: Target) -> None:
    """None is added to the description without being here."""
    found = {
        (method.upper(), path)
        for path, operations in target.schema.raw_schema["paths"].items()
        for method in operations
    }
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path", "mode"), MADE)
def test_every_answer_is_one_that_the_description_names(
    target: Target, method: str, path: str, mode: GenerationMode
) -> None:
    """Status, type, headers and body; never a 5xx but one that says when to come again."""
    operation = target.schema[path][method]

    @settings(ALWAYS_THE_SAME, max_examples=10)
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: Case, known: bool) -> None:
        _send(target, case, known=known)

    ask()


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**32, MAX_SIZE])
@pytest.mark.parametrize("name", ["after", "old"])
def test_a_number_at_the_end_of_its_range_is_answered(target: Target, name: str, number: int) -> None:
    """Where a database would count with fewer bits."""
    pem = str(target.running.fund.tls_file(target.device))
    url = f"{target.running.url}/v1/devices/{target.device}/inclusion?{name}={number}"
    assert target.running.session.get(url, cert=pem, timeout=20).status_code == 200


_CONTENT = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(squeeze),
    st.lists(st.text(max_size=20), min_size=1, max_size=4).map(batch),
    st.lists(st.text(max_size=20), min_size=1, max_size=4).map(batch).map(squeeze),
    st.tuples(st.binary(max_size=300).map(squeeze), st.binary(max_size=20)).map(b"".join),
    st.tuples(st.binary(max_size=300).map(squeeze), st.integers(1, 40)).map(lambda cut: cut[0][: -cut[1]]),
)
_ENCODING = st.sampled_from([None, "zstd", "ZSTD", "gzip", "zstd, zstd", "identity", "br", "", "zstd;q=1", "x" * 200])
_TYPE = st.sampled_from(["application/json", "application/json; charset=utf-16", "text/plain", "", "application/jsonx"])


def test_any_body_in_any_encoding_gets_an_answer_that_the_description_names(target: Target) -> None:
    """Right and wrong bodies under right and wrong names of their encoding and type; both paths that read JSON."""
    described = target.schema.raw_schema["paths"]
    url = target.running.url + "/v1/devices/"

    @settings(ALWAYS_THE_SAME, max_examples=50)
    @given(what=st.sampled_from(["events", "tls-certificate"]), content=_CONTENT, encoding=_ENCODING, kind=_TYPE)
    def send(what: str, content: bytes, encoding: str | None, kind: str) -> None:
        headers = {"Content-Type": kind} | ({} if encoding is None else {"Content-Encoding": encoding})
        answer = target.running.session.post(
            f"{url}{target.device}/{what}",
            data=content,
            headers=headers,
            cert=str(target.running.fund.tls_file(target.device)),
            timeout=20,
        )
        assert answer.status_code < 500
        named = described[f"/v1/devices/{{device}}/{what}"]["post"]["responses"][str(answer.status_code)]
        assert answer.headers["content-type"] in named["content"]
        wrong = kind.partition(";")[0] != "application/json" or encoding not in {None, "zstd"}
        assert (answer.status_code == 415) is wrong

    send()
