"""What is sealed opens for the same person, kind, pack, device and key only."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.errors import TemplateDamaged
from appliance.core.types import PackDigest, PersonId
from appliance.records.vault import DataKey, SealedKind, Vault, pseudonym, template_hash
from tests.fakes.patients import OTHER_PACK, PACK, make_iin

VAULT = Vault(bytes(range(32)), "desk-1")
ALI = PersonId("person-a")
KEY, WRAPPED = VAULT.new_key(ALI)


@settings(deadline=None)
@given(plain=st.binary(max_size=2000), pack=st.sampled_from([None, PACK]))
def test_what_is_sealed_opens_again(plain: bytes, pack: PackDigest | None) -> None:
    """Any bytes come back as they were, and two seals of the same bytes differ."""
    sealed = VAULT.seal(KEY, SealedKind.FACE, pack, plain)
    assert VAULT.open(KEY, SealedKind.FACE, pack, sealed) == plain
    assert VAULT.seal(KEY, SealedKind.FACE, pack, plain) != sealed


def test_a_wrapped_key_opens_to_the_same_key() -> None:
    """The wrapped form has 40 bytes and does not contain the key."""
    assert VAULT.unwrap(ALI, WRAPPED).secret == KEY.secret
    assert len(WRAPPED) == 40
    assert KEY.secret not in WRAPPED


@pytest.mark.parametrize(
    ("vault", "key", "kind", "pack"),
    [
        (VAULT, DataKey(PersonId("person-b"), KEY.secret), SealedKind.FACE, PACK),
        (VAULT, VAULT.new_key(ALI)[0], SealedKind.FACE, PACK),
        (VAULT, KEY, SealedKind.PROFILE, PACK),
        (VAULT, KEY, SealedKind.FACE, OTHER_PACK),
        (VAULT, KEY, SealedKind.FACE, None),
        (Vault(VAULT.template_key, "desk-2"), KEY, SealedKind.FACE, PACK),
    ],
    ids=["other person", "other key", "other kind", "other pack", "no pack", "other device"],
)
def test_a_moved_blob_does_not_open(vault: Vault, key: DataKey, kind: SealedKind, pack: PackDigest | None) -> None:
    """Every part of the context is authenticated; the failure names the person and nothing else."""
    sealed = VAULT.seal(KEY, SealedKind.FACE, PACK, b"template")
    with pytest.raises(TemplateDamaged, match=key.person):
        vault.open(key, kind, pack, sealed)


@settings(deadline=None)
@given(data=st.data())
def test_a_changed_blob_does_not_open(data: st.DataObject) -> None:
    """Any flipped bit, and any cut, is noticed."""
    sealed = VAULT.seal(KEY, SealedKind.FACE, PACK, b"a template of some length")
    position = data.draw(st.integers(0, 8 * len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[position // 8] ^= 1 << position % 8
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    for wrong in (bytes(flipped), cut):
        with pytest.raises(TemplateDamaged):
            VAULT.open(KEY, SealedKind.FACE, PACK, wrong)


@settings(deadline=None)
@given(st.integers(0, 40 * 8 - 1))
def test_a_changed_wrapped_key_does_not_open(position: int) -> None:
    """RFC 3394 carries its own integrity check."""
    flipped = bytearray(WRAPPED)
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(TemplateDamaged, match=ALI):
        VAULT.unwrap(ALI, bytes(flipped))


@pytest.mark.parametrize("wrapped", [b"", WRAPPED[:39], WRAPPED + b"\0"], ids=["empty", "short", "long"])
def test_a_cut_wrapped_key_does_not_open(wrapped: bytes) -> None:
    """A wrong length is damage, not a bug."""
    with pytest.raises(TemplateDamaged):
        VAULT.unwrap(ALI, wrapped)


def test_a_key_wrapped_by_another_desk_does_not_open() -> None:
    """Another template key gives a known failure, and another key check."""
    other = Vault(bytes(32), "desk-1")
    with pytest.raises(TemplateDamaged):
        other.unwrap(ALI, WRAPPED)
    assert other.key_check != VAULT.key_check
    assert Vault(VAULT.template_key, "desk-2").key_check == VAULT.key_check


def test_contexts_with_shifted_borders_differ() -> None:
    """`ab` + `c` is not `a` + `bc`: lengths are authenticated with the parts."""
    key = DataKey(PersonId("ab"), KEY.secret)
    sealed = Vault(VAULT.template_key, "d").seal(key, SealedKind.FACE, PackDigest("cd"), b"x")
    with pytest.raises(TemplateDamaged):
        Vault(VAULT.template_key, "dd").open(key, SealedKind.FACE, PackDigest("c"), sealed)


def test_a_template_hash_depends_on_the_persons_key() -> None:
    """Equal templates have unrelated hashes under two keys, so a stolen template finds no event."""
    other, _ = VAULT.new_key(ALI)
    plain = b"the same template"
    assert template_hash(KEY, plain) == template_hash(KEY, plain)
    assert template_hash(KEY, plain) != template_hash(other, plain)
    assert template_hash(KEY, plain) != hashlib.sha256(plain).hexdigest()
    assert template_hash(KEY, plain) != hmac.digest(KEY.secret, plain, "sha256").hex()


def test_a_pseudonym_is_the_keyed_hash_agreed_with_the_fund() -> None:
    """HMAC-SHA-256 of the twelve digits, hexadecimal."""
    iin, key = make_iin(1), bytes(range(32))
    assert pseudonym(iin, key) == hmac.new(key, iin.digits.encode(), hashlib.sha256).hexdigest()
    assert pseudonym(iin, key) != pseudonym(make_iin(2), key)
    assert pseudonym(iin, key) != pseudonym(iin, bytes(32))


def test_keys_of_another_length_are_bugs() -> None:
    """Both keys have 32 bytes."""
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short", "desk-1")
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonym(make_iin(1), b"short")


def test_keys_are_not_shown() -> None:
    """Neither vault nor data key has its secret in its representation, and neither can be pickled."""
    for secret in (VAULT, KEY):
        assert repr(secret) == f"<{type(secret).__name__} redacted>"
        with pytest.raises(TypeError):
            secret.__reduce__()
