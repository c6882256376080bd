"""The fund's answer at the desk: only the one to its last request is put into use, and only whole."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.compact import decode_part, encode_part
from sync.errors import (
    KnownFailure,
    SettingsInvalid,
)
from sync.fund.admission import admit
from sync.fund.ca import TLS_VALIDITY
from sync.fund.home import FundHome
from sync.home import Home, is_installed
from sync.install import install
from sync.join_errors import (
    AnswerInvalid,
)
from sync.joining import Grant, read_answer, read_grant, write_answer, write_grant
from sync.papers import Papers
from sync.provision import make_desk, request_admission
from sync.sealing import SealedBox, seal
from sync.signing import FileSigner
from tests.fakes.documents import make_fund_home
from tests.sync.joining_desk import FILE, NOW, answered, contents, invitation_of


def granted(home: Home, answer_token: str) -> Grant:
    """What an answer gives, opened with the desk's key."""
    papers = Papers(home)
    answer = read_answer(answer_token, papers.invitation().fund.public_jwk)
    content = decode_part(str(answer.sealed["content"]))
    return read_grant(SealedBox.load(papers.request_key).open(content, answer.request.encode()))


def wrong_answers(home: Home, fund: Path, tmp_path: Path) -> dict[str, str]:
    """Answers that do not fit the desk's last request, by what is wrong with them."""
    papers = Papers(home)
    made = papers.request()
    assert made is not None
    token = made[0]
    good = admit(fund, token, FILE, NOW)
    facts, signer = papers.invitation().fund, FileSigner.load(FundHome(fund).signing_key)
    answer = read_answer(good, facts.public_jwk)
    grant, elsewhere = granted(home, good), Home(tmp_path / "elsewhere")
    make_desk(elsewhere)
    to_other = admit(fund, request_admission(elsewhere, invitation_of(fund, "desk-2"), NOW), FILE, NOW)
    other = granted(elsewhere, to_other)
    foreign = FileSigner.load(make_fund_home(tmp_path).signing_key)

    def giving(**changes: str | bytes | None) -> str:
        """The right answer, but for this."""
        content, request = write_grant(replace(grant, **changes)), made[1]  # type: ignore[arg-type]  # any member
        sealed = encode_part(seal(request.sealing_jwk, content, request.digest.encode()))
        return write_answer(signer, replace(answer, sealed={"method": "hpke", "content": sealed}))

    return {
        "of another fund": write_answer(foreign, answer),
        "to another desk": to_other,
        "another desk's seal": write_answer(
            signer, replace(read_answer(to_other, facts.public_jwk), request=answer.request, device="desk-1")
        ),
        "another device's name": write_answer(signer, replace(answer, device="desk-2")),
        "another desk's certificates": giving(device_pem=other.device_pem, tls_pem=other.tls_pem),
        "another desk's device certificate": giving(device_pem=other.device_pem),
        "another desk's TLS certificate": giving(tls_pem=other.tls_pem),
        "certificates exchanged": giving(device_pem=grant.tls_pem, tls_pem=grant.device_pem),
        "no pseudonym key": giving(pseudonym_key=None),
        "a short pseudonym key": giving(pseudonym_key=b"short"),
        "a policy that sets more": giving(policy="[fund]\nurl = 1\n"),
        "a policy that is not TOML": giving(policy="["),
        "sealed in an unknown way": write_answer(
            signer, replace(answer, sealed={"method": "rot13", "content": "", "credential": ""})
        ),
        "not sealed": write_answer(signer, replace(answer, sealed={})),
        "a request": token,
        "altered": good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB"),
        "cut off": good[:-1],
        "nothing": "",
    }


def test_an_answer_that_does_not_fit_changes_nothing(home: Home, fund: Path, tmp_path: Path) -> None:
    """A clear failure for each; then the right one is installed as if nothing had been."""
    good = answered(home, fund)
    before = contents(home)
    for what, wrong in wrong_answers(home, fund, tmp_path).items():
        with pytest.raises(KnownFailure) as failure:
            install(home, wrong, NOW)
        assert failure.value.code in {"E-JOIN-05", "E-CRT-01"}, what
        assert contents(home) == before, what
    with pytest.raises(AnswerInvalid, match="ended"):
        install(home, good, NOW + TLS_VALIDITY)
    with pytest.raises(SettingsInvalid):
        install(home, good, NOW, _no_policy)
    assert contents(home) == before
    install(home, good, NOW)


def _no_policy(content: bytes) -> None:
    raise SettingsInvalid(f"the desk cannot run with these {len(content)} bytes")


def test_an_answer_is_good_for_one_request(home: Home, fund: Path) -> None:
    """An earlier answer, replayed after a new request, is refused."""
    first = answered(home, fund)
    request_admission(home, invitation_of(fund), NOW)
    with pytest.raises(AnswerInvalid, match="another request"):
        install(home, first, NOW)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, founded: Path) -> tuple[Home, str]:
    """A desk that waits for this answer; not to be changed."""
    folder = tmp_path_factory.mktemp("waiting")
    shutil.copytree(founded, folder / "fund")
    home = Home(folder / "desk")
    return home, answered(home, folder / "fund")


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10_000), other=st.characters(codec="ascii"))
def test_an_answer_altered_in_one_character_is_refused(waiting: tuple[Home, str], place: int, other: str) -> None:
    """Wherever it is."""
    home, answer = waiting
    place %= len(answer)
    altered = answer[:place] + other + answer[place + 1 :]
    if altered != answer:
        with pytest.raises(AnswerInvalid):
            install(home, altered, NOW)
        assert not is_installed(home)
