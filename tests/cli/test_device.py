"""A desk's identity by commands: from an empty folder to its renewal, and what people are told on the way."""

from pathlib import Path

import pytest

from sync.errors import DeskProvisioned, DeviceUnknown
from sync.join_errors import (
    AnswerInvalid,
    DeviceRevoked,
    InvitationSpent,
    JoinIncomplete,
    KeyClassRefused,
    RequestInvalid,
)
from tests.cli.terminal import Clinic, keldim


@pytest.fixture
def fund(tmp_path: Path) -> tuple[str, Path]:
    """The option that names a new fund."""
    assert keldim("fund", "init", "--dir", tmp_path / "fund", "--url", "https://127.0.0.1:1").code == 0
    return "--dir", tmp_path / "fund"


@pytest.fixture
def desk(tmp_path: Path) -> tuple[str, Path]:
    """The option that names a desk which is not there yet."""
    return "--home", tmp_path / "desk"


def test_the_whole_way(tmp_path: Path, fund: tuple[str, Path], desk: tuple[str, Path]) -> None:
    """Each step says what comes next; both sides are told the same two keys; status follows."""
    invitation, request, answer = (tmp_path / f"{name}.jws" for name in ("invitation", "request", "answer"))
    assert keldim(*desk, "device", "status", "--json").json["step"] == "nothing"
    made = keldim(*desk, "device", "init", "--language", "ru")
    assert "device request" in made.out
    own_key = made.out.splitlines()[0].split()[-1]
    assert keldim(*desk, "device", "status", "--json").json["step"] == "made"
    invited = keldim("fund", "invite", *fund, "d-1", "--clinic", "Емхана", "--desk", "A", "--out", invitation)
    fund_key = invited.out.splitlines()[-1].split()[-1]
    asked = keldim(*desk, "device", "request", "--invitation", invitation, "--out", request)
    assert fund_key in asked.out
    assert keldim(*desk, "device", "status", "--json").json["step"] == "requested"
    policy = tmp_path / "policy.toml"
    policy.write_text("[policy]\ntries = 2\n")
    terms = ("--key-class", "file", "--key", own_key, "--policy", policy)
    assert own_key in keldim("fund", "admit", *fund, request, *terms, "--out", answer).out
    installed = keldim(*desk, "device", "install", answer)
    assert "key class file, claimed" in installed.out
    status = keldim(*desk, "device", "status", "--json")
    assert (status.code, status.json["step"], status.json["device"]) == (0, "installed", "d-1")
    assert (status.json["fund_key"], status.json["fund_heard"]) == (fund_key, None)
    assert "tries = 2" in (tmp_path / "desk" / "keldim.toml").read_text()
    assert 'language = "ru"' in (tmp_path / "desk" / "keldim.toml").read_text()
    rows = keldim("fund", "certificates", *fund, "--json").rows
    assert sorted(str(row["purpose"]) for row in rows) == ["device", "tls"]
    assert "d-1" in keldim("fund", "certificates", *fund).out
    assert "certificate_ends" in keldim(*desk, "device", "status").out


def test_a_desk_renews_and_a_revoked_one_does_not(clinic: Clinic, tmp_path: Path) -> None:
    """By file; after revocation only a new invitation helps."""
    where, request, answer = ("--dir", clinic.fund), tmp_path / "renewal.jws", tmp_path / "renewed.jws"
    assert clinic("device", "renew", "--out", request).code == 0
    assert clinic("device", "status", "--json").json["renewing"] is True
    assert keldim("fund", "admit", *where, request, "--key-class", "file", "--out", answer).code == 0
    assert clinic("device", "install", answer).code == 0
    assert clinic("device", "status", "--json").json["renewing"] is False
    assert keldim("fund", "revoke", *where, "desk-7", "--reason", "stolen").code == 0
    assert {row["reason"] for row in keldim("fund", "certificates", *where, "--json").rows} == {"stolen"}
    (row,) = keldim("fund", "devices", *where, "--json").rows
    assert (row["revoked"], row["certified_until"], row["attested"]) == ("stolen", None, "claimed")
    assert "stolen" in keldim("fund", "devices", *where).out
    clinic("device", "renew", "--out", request)
    keldim("fund", "admit", *where, request, "--key-class", "file").failed_with(DeviceRevoked)
    keldim("fund", "revoke", *where, "nobody", "--reason", "stolen").failed_with(DeviceUnknown)
    keldim("fund", "revoke", *where, "desk-7", "--reason", "He left").failed_with(RequestInvalid)


def test_what_does_not_fit_is_named(clinic: Clinic, tmp_path: Path, desk: tuple[str, Path]) -> None:
    """A weak key, a used invitation, an answer to somebody else, another class of key: each with what to do."""
    where, other, asked = ("--dir", clinic.fund), tmp_path / "other.jws", tmp_path / "asked.jws"
    keldim("fund", "invite", *where, "desk-8", "--clinic", "C", "--desk", "D", "--out", other)
    keldim(*desk, "device", "install", other).failed_with(JoinIncomplete)
    keldim(*desk, "device", "init")
    keldim(*desk, "device", "init", "--key-class", "tpm2").failed_with(DeskProvisioned)
    keldim(*desk, "device", "request", "--invitation", other, "--out", asked)
    keldim("fund", "admit", *where, asked).failed_with(KeyClassRefused)
    keldim("fund", "admit", *where, asked, "--key-class", "file", "--key", "x").failed_with(RequestInvalid)
    keldim(*desk, "device", "install", clinic.root / "answer.jws").failed_with(AnswerInvalid)
    used = clinic.root / "invitation.jws"
    keldim(*desk, "device", "request", "--invitation", used, "--out", asked)
    keldim("fund", "admit", *where, asked, "--key-class", "file").failed_with(InvitationSpent)
    told = keldim("fund", "admit", *where, asked, "--policy", tmp_path / "none.toml")
    assert (told.code, "none.toml" in told.err) == (2, True)
