"""A device key in a TPM 2.0, against swtpm."""

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sync.attestation import wrap_for
from sync.device_key import DeviceKey, create_device_key, open_device_key
from sync.errors import KeyBound, KeyForeign, KeyUnusable, TokenUnreachable
from sync.home import Home, KeySettings
from sync.keyfile import write_secret
from sync.signing import FileSigner, KeyClass, sign_compact, verify
from tests.fakes.tpm import SoftwareTpm, TpmMaker
from tests.sync.tpm_fixtures import home, in_tpm, maker, tpm

__all__ = ["home", "maker", "tpm"]


def make(home: Home, tpm: SoftwareTpm, handle: int | None = None, pcrs: tuple[int, ...] = ()) -> "closing[DeviceKey]":
    """Make a desk's key; closed in the end."""
    return closing(create_device_key(home, in_tpm(tpm, handle, pcrs)))


def reopen(home: Home, tpm: SoftwareTpm, handle: int | None = None, pcrs: tuple[int, ...] = ()) -> "closing[DeviceKey]":
    """Open it as another process would."""
    return closing(open_device_key(home, in_tpm(tpm, handle, pcrs)))


def test_a_key_made_in_a_tpm_signs_events(home: Home, tpm: SoftwareTpm) -> None:
    """In this process and the next; making it again gives the same one."""
    with make(home, tpm) as key:
        jwk = key.signer.public_jwk
        for number in range(20):  # r and s with leading zeros among them, now and then
            token = sign_compact(key.signer, "visit+jws", b"%d" % number)
            assert verify(jwk, token, "visit+jws", 1000).payload == b"%d" % number
        assert key.signer.key_class == "tpm2"
    with make(home, tpm) as again:
        again.check()
        assert again.signer.public_jwk == jwk
    assert not home.device_key.exists()


def test_a_key_may_live_in_the_tpm_at_a_handle(home: Home, tpm: SoftwareTpm, tmp_path: Path) -> None:
    """A handle that holds another key is not taken."""
    with make(home, tpm, 0x8100_0042) as key:
        key.check()
    with reopen(home, tpm, 0x8100_0042) as key:
        key.check()
    (tmp_path / "other" / "keys").mkdir(parents=True)
    with pytest.raises(KeyUnusable, match="another key"):
        create_device_key(Home(tmp_path / "other"), in_tpm(tpm, 0x8100_0042))


def test_the_machine_may_start_again_while_the_desk_runs(home: Home, tpm: SoftwareTpm) -> None:
    """The TPM forgets what was loaded; the next signature loads it again."""
    with make(home, tpm) as key:
        key.check()
        tpm.restart()
        key.check()


def test_a_tpm_that_is_gone_signs_nothing_and_nothing_else_does(home: Home, tpm: SoftwareTpm) -> None:
    """The desk opens; signing fails with the remedy; no software key appears; it goes on when the TPM is back."""
    with make(home, tpm) as key:
        key.check()
        tpm.stop()
        try:
            with pytest.raises(TokenUnreachable) as gone:
                key.signer.sign(b"event")
            assert gone.value.remedy
            with reopen(home, tpm) as opened:
                assert opened.signer.public_jwk == key.signer.public_jwk
                with pytest.raises(TokenUnreachable):
                    opened.check()
            assert not home.device_key.exists()
            with pytest.raises(KeyUnusable):
                create_device_key(Home(home.root), KeySettings())
        finally:
            tpm.start()
        assert len(key.signer.sign(b"event")) == 64


def test_a_missing_device_is_a_known_failure(home: Home, tpm: SoftwareTpm, tmp_path: Path) -> None:
    """As where the machine has no TPM, or the service user may not use it."""
    nowhere = KeySettings(KeyClass.TPM2, tpm=replace(tpm.settings, tcti=f"device:{tmp_path}/tpmrm0"))
    with pytest.raises(TokenUnreachable):
        create_device_key(home, nowhere)
    assert list(home.keys.iterdir()) == []


@pytest.mark.parametrize("handle", [None, 0x8100_0043])
def test_a_cloned_home_cannot_sign_on_a_machine_with_another_tpm(
    home: Home, tpm: SoftwareTpm, maker: TpmMaker, tmp_path: Path, handle: int | None
) -> None:
    """Attack 3: every file of the desk was copied, the wrapped key among them."""
    with make(home, tpm, handle) as key:
        key.check()
    shutil.copytree(home.root, tmp_path / "clone")
    with maker.make(tmp_path / "second") as second, reopen(Home(tmp_path / "clone"), second, handle) as cloned:
        with pytest.raises(KeyForeign) as foreign:
            cloned.signer.sign(b"event")
        assert "register" in foreign.value.remedy
        with pytest.raises(KeyForeign):
            cloned.evidence(b"n" * 16)


def test_a_cleared_tpm_no_longer_has_the_key(home: Home, maker: TpmMaker, tmp_path: Path) -> None:
    """Whoever clears it destroys the key; the desk says so and does not make another."""
    with maker.make(tmp_path / "tpm") as own:
        with make(home, own) as key:
            key.check()
        own.command("tpm2_clear")
        with reopen(home, own) as key, pytest.raises(KeyForeign):
            key.check()


def test_a_locked_out_tpm_still_signs(home: Home, maker: TpmMaker, tmp_path: Path) -> None:
    """Nobody can stop a desk by trying passwords: the key has none, and is exempt from the lock-out."""
    with maker.make(tmp_path / "tpm") as own, make(home, own) as key:
        own.command("tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000")
        parent = str(tmp_path / "parent")
        own.command("tpm2_createprimary", "-C", "o", "-p", "right", "-c", parent)
        guess = ("tpm2_create", "-C", parent, "-u", f"{parent}.u", "-r", f"{parent}.r", "-P")
        for password in ("wrong", "right"):
            with pytest.raises(AssertionError):
                own.command(*guess, password)
        own.command("tpm2_flushcontext", "-t")
        key.check()
        assert key.counter is not None
        assert key.counter.advance() > key.counter.read() - 1


def test_a_key_bound_to_registers_signs_in_that_state_only(home: Home, maker: TpmMaker, tmp_path: Path) -> None:
    """Something else was started: the TPM refuses until the machine starts as before."""
    with maker.make(tmp_path / "tpm") as own, make(home, own, pcrs=(7, 8)) as key:
        for _ in range(70):  # a TPM holds 64 sessions at most: none is left behind
            key.check()
        assert key.evidence(b"n" * 16)
        own.command("tpm2_pcrextend", "8:sha256=" + "5" * 64)
        for _ in range(70):
            with pytest.raises(KeyBound):
                key.check()
        own.restart()
        key.check()


def test_the_counter_only_grows(home: Home, tpm: SoftwareTpm) -> None:
    """Over restarts, and also when an owner of the machine removes it and it is made again."""
    with make(home, tpm) as key:
        counter = key.counter
        assert counter is not None
        first = counter.read()
        assert counter.advance() == first + 1 == counter.read()
        tpm.restart()
        assert counter.advance() == first + 2
        tpm.command("tpm2_nvundefine", f"0x{in_tpm(tpm).tpm.counter:x}")  # type: ignore[union-attr]
        with pytest.raises(KeyForeign):
            counter.read()
        home.device_jwk.unlink()
    with make(home, tpm) as again:
        assert again.counter is not None
        assert again.counter.read() > first + 2


def test_what_is_sealed_to_a_tpm_opens_in_no_other(
    home: Home, tpm: SoftwareTpm, maker: TpmMaker, tmp_path: Path
) -> None:
    """Make credential at the fund, activate credential at the desk."""
    (tmp_path / "other" / "keys").mkdir(parents=True)
    with (
        make(home, tpm) as key,
        maker.make(tmp_path / "second") as second,
        make(Home(tmp_path / "other"), second) as other,
    ):
        evidence = key.evidence(b"n" * 16)
        assert evidence is not None
        sealed = wrap_for(evidence, b"s" * 32)
        assert key.unwrap(sealed) == b"s" * 32
        with pytest.raises(KeyUnusable):
            other.unwrap(sealed)
        for spoilt in (b"", sealed[:-1], sealed + b"x", sealed[:40] + b"\0" + sealed[41:], sealed[:-3] + b"abc"):
            with pytest.raises(KeyUnusable):
                key.unwrap(spoilt)
        key.check()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"v":2}', b'{"v":1,"public":"AAAA","private":"AAAA"}'])
def test_a_spoilt_key_file_is_a_known_failure(home: Home, tpm: SoftwareTpm, content: bytes) -> None:
    """Cut off, or of something else."""
    with make(home, tpm):
        home.tpm_key.unlink()
        write_secret(home.tpm_key, content)
        with reopen(home, tpm) as key, pytest.raises(KeyUnusable):
            key.check()


def test_one_class_never_takes_the_place_of_another(home: Home, tpm: SoftwareTpm) -> None:
    """A desk of a TPM that is configured for a file, and with a file beside it: refused either way."""
    with make(home, tpm):
        with pytest.raises(KeyForeign, match="does not take its place"):
            create_device_key(home, KeySettings())
        with pytest.raises(KeyUnusable):
            open_device_key(home, KeySettings())
    home.device_jwk.unlink()
    jwk = FileSigner.create(home.device_key).public_jwk
    write_secret(
        home.device_jwk,
        b'{"kty":"EC","crv":"P-256","x":"%s","y":"%s","key_class":"file"}' % (jwk.x.encode(), jwk.y.encode()),
    )
    with pytest.raises(KeyForeign):
        open_device_key(home, in_tpm(tpm))
