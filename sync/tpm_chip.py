"""The only door to a TPM 2.0: one connection, and the few commands that a desk gives it.

What the answers mean to the desk is left to `tpm_key`; what they prove to the fund, to `attestation`. Each failure of
the TPM or of the way to it leaves here as KeyUnusable of the kind that names the remedy.

Without a resource manager a TPM holds three loaded objects, so nothing stays loaded but the signing key.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

os.environ.setdefault("TSS2_LOG", "all+none")  # read once, at the stack's first message: failures are ours to tell

from tpm2_pytss import ESAPI, TSS2_Exception
from tpm2_pytss.constants import (
    ESYS_TR,
    TPM2_ALG,
    TPM2_NT,
    TPM2_RC,
    TPM2_RH,
    TPM2_SE,
    TPM2_ST,
    TPMA_NV,
    TPMA_OBJECT,
    TSS2_RC,
)
from tpm2_pytss.types import (
    TPM2B_DIGEST,
    TPM2B_ENCRYPTED_SECRET,
    TPM2B_ID_OBJECT,
    TPM2B_NV_PUBLIC,
    TPM2B_PRIVATE,
    TPM2B_PUBLIC,
    TPML_PCR_SELECTION,
    TPMS_NV_PUBLIC,
    TPMT_PUBLIC,
    TPMT_SIG_SCHEME,
    TPMT_SYM_DEF,
    TPMT_TK_HASHCHECK,
)
from tpm2_pytss.utils import NoSuchIndex, NVReadEK, create_ek_template

from sync.attestation import AK_ATTRIBUTES
from sync.errors import KeyBound, KeyForeign, KeyUnsupported, KeyUnusable, TokenUnreachable

_SIGNING_KEY: Final = (
    TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
    | TPMA_OBJECT.NODA
    | TPMA_OBJECT.SIGN_ENCRYPT
)
"""Out of the lock-out after wrong passwords (noDA): the key has none to guess, and nobody can lock a desk out."""

Loaded: TypeAlias = ESYS_TR
"""A key that is loaded in the TPM."""

_PARENT: Final = (
    TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
    | TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.NODA
    | TPMA_OBJECT.RESTRICTED
    | TPMA_OBJECT.DECRYPT
)
_COUNTER_BYTES: Final = 8
_CHAIN_INDICES: Final = range(0x01C0_0100, 0x01C0_0110)
"""Where makers keep the certificates between the endorsement key's and their root (TCG EK Credential Profile 2.4)."""

_GONE: Final = frozenset({TPM2_RC.HANDLE, TPM2_RC.REFERENCE_H0, TPM2_RC.REFERENCE_H1, TPM2_RC.REFERENCE_S0})
_FOREIGN: Final = frozenset({TPM2_RC.INTEGRITY, TPM2_RC.BINDING, TPM2_RC.HANDLE})
_OWNED: Final = frozenset({TPM2_RC.AUTH_FAIL, TPM2_RC.BAD_AUTH, TPM2_RC.AUTH_MISSING})
_BOUND: Final = frozenset({TPM2_RC.POLICY_FAIL, TPM2_RC.PCR_CHANGED})


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as its TPM wrapped it. public: TPMT_PUBLIC. private: of no use to anybody but this TPM."""

    public: bytes
    private: bytes


class Chip:
    """An open connection to a TPM. pcrs: registers that the signing key is bound to. Close it in the end."""

    def __init__(self, tcti: str, pcrs: tuple[int, ...] = ()) -> None:
        """Connect. Raises KeyUnusable."""
        self._pcrs = pcrs
        with _failures():
            self._tpm = ESAPI(tcti)

    def close(self) -> None:
        """End the connection; what is loaded without a resource manager stays, so flush it first."""
        self._tpm.close()

    def make_key(self) -> WrappedKey:
        """Make a signing key that stays in this TPM."""
        attributes = _SIGNING_KEY if self._pcrs else _SIGNING_KEY | TPMA_OBJECT.USERWITHAUTH
        with _failures(), self._storage() as (parent, _):
            template = TPM2B_PUBLIC.parse(
                "ecc256:ecdsa-sha256:null", objectAttributes=attributes, authPolicy=self._policy_digest()
            )
            private, public, *_ = self._tpm.create(parent, None, template)
            return WrappedKey(public.publicArea.marshal(), bytes(private))

    def load(self, key: WrappedKey) -> Loaded:
        """Load a key that this TPM wrapped; flush it in the end. Raises KeyForeign for a key of another TPM."""
        with _failures(_FOREIGN), self._storage() as (parent, _):
            public, _ = TPMT_PUBLIC.unmarshal(key.public)
            return self._tpm.load(parent, TPM2B_PRIVATE(key.private), TPM2B_PUBLIC(publicArea=public))

    def find(self, handle: int) -> tuple[Loaded, bytes]:
        """A persistent key and its TPMT_PUBLIC. Raises KeyForeign when there is none."""
        with _failures(_FOREIGN):
            found = self._tpm.tr_from_tpmpublic(handle)
            public, *_ = self._tpm.read_public(found)
            return found, public.publicArea.marshal()

    def public(self, loaded: Loaded) -> bytes:
        """TPMT_PUBLIC of a loaded key, as the TPM tells it."""
        with _failures():
            public, *_ = self._tpm.read_public(loaded)
            return bytes(public.publicArea.marshal())

    def persist(self, loaded: Loaded, handle: int) -> None:
        """Keep a loaded key in the TPM, at a free handle."""
        with _failures():
            self._tpm.tr_close(self._tpm.evict_control(ESYS_TR.OWNER, loaded, handle))

    def flush(self, loaded: Loaded) -> None:
        """Unload a key."""
        with _failures():
            self._tpm.flush_context(loaded)

    def sign(self, loaded: Loaded, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s, 64 bytes."""
        digest = TPM2B_DIGEST(hashlib.sha256(signed).digest())
        ticket = TPMT_TK_HASHCHECK(tag=TPM2_ST.HASHCHECK, hierarchy=TPM2_RH.NULL)
        with _failures(), self._permission() as session:
            made = self._tpm.sign(loaded, digest, TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL), ticket, session1=session)
        ecdsa = made.signature.ecdsa
        return b"".join(bytes(number).rjust(32, b"\0") for number in (ecdsa.signatureR, ecdsa.signatureS))

    def certify(self, loaded: Loaded, qualifying: bytes) -> tuple[bytes, bytes]:
        """TPMS_ATTEST over a loaded key, and the attestation key's TPMT_SIGNATURE."""
        with _failures(), self._attestation_key() as (ak, _):
            scheme = TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)
            attest, signature = self._tpm.certify(loaded, ak, qualifying, scheme)  # in any state of the registers
            return bytes(attest), signature.marshal()

    def attestation_public(self) -> bytes:
        """TPMT_PUBLIC of the attestation key; the same each time, until the TPM's endorsement seed changes."""
        with _failures(), self._attestation_key() as (_, public):
            return public

    def endorsement(self) -> tuple[bytes, tuple[bytes, ...]]:
        """TPMT_PUBLIC of the endorsement key (RSA 2048), and its certificates in DER as far as the TPM holds them."""
        read = NVReadEK(self._tpm)
        with _failures():
            certificate, template = create_ek_template("EK-RSA2048", read)
            with self._primary(ESYS_TR.ENDORSEMENT, template) as (_, public):
                if certificate is None:
                    return public, ()
                above = b""
                for index in _CHAIN_INDICES:
                    with contextlib.suppress(NoSuchIndex):
                        above += bytes(read(index))
                return public, tuple(_certificates(bytes(certificate) + above))

    def activate(self, identity: bytes, secret: bytes) -> bytes:
        """Open a credential for this TPM's attestation key (Part 3, section 12.5). Raises KeyForeign: for another."""
        with _failures():
            _, template = create_ek_template("EK-RSA2048", NVReadEK(self._tpm))
        foreign = _FOREIGN | {TPM2_RC.VALUE, TPM2_RC.SIZE}
        with (
            _failures(foreign),
            self._attestation_key() as (ak, _),
            self._primary(ESYS_TR.ENDORSEMENT, template) as (ek, _),
            self._session(TPM2_SE.POLICY) as session,
        ):
            self._tpm.policy_secret(ESYS_TR.ENDORSEMENT, session)
            sealed = TPM2B_ID_OBJECT(identity), TPM2B_ENCRYPTED_SECRET(secret)
            return bytes(self._tpm.activate_credential(ak, ek, *sealed, session2=session))

    def make_counter(self, index: int) -> None:
        """Define a counter at this NV index, unless it is there.

        It starts above every count that any counter of this TPM ever had (Part 1, section 37.2.4), so removing and
        making it again rolls nothing back. Without a password, as the key.
        """
        with _failures():
            try:
                self._tpm.tr_close(self._tpm.tr_from_tpmpublic(index))
            except TSS2_Exception as error:
                if error.error != TPM2_RC.HANDLE:
                    raise
                access = TPMA_NV.AUTHREAD | TPMA_NV.AUTHWRITE | TPMA_NV.OWNERREAD | TPMA_NV.NO_DA
                public = TPMS_NV_PUBLIC(
                    nvIndex=index,
                    nameAlg=TPM2_ALG.SHA256,
                    attributes=access | (TPM2_NT.COUNTER << TPMA_NV.TPM2_NT_SHIFT),
                    dataSize=_COUNTER_BYTES,
                )
                made = self._tpm.nv_define_space(None, TPM2B_NV_PUBLIC(nvPublic=public))
                self._tpm.nv_increment(made)  # there is no count before the first
                self._tpm.tr_close(made)

    def count(self, index: int, advance: bool = False) -> int:
        """The counter's value; advance: add one before."""
        with _failures(_FOREIGN), self._index(index) as counter:
            if advance:
                self._tpm.nv_increment(counter)
            return int.from_bytes(bytes(self._tpm.nv_read(counter, _COUNTER_BYTES)), "big")

    def certify_counter(self, index: int, qualifying: bytes) -> tuple[bytes, bytes, bytes]:
        """TPMS_NV_PUBLIC, TPMS_ATTEST over the counter, and the attestation key's TPMT_SIGNATURE."""
        with _failures(_FOREIGN), self._index(index) as counter, self._attestation_key() as (ak, _):
            public, _ = self._tpm.nv_read_public(counter)
            scheme = TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)
            attest, signature = self._tpm.nv_certify(ak, counter, qualifying, scheme, _COUNTER_BYTES)
            return public.nvPublic.marshal(), bytes(attest), signature.marshal()

    @contextlib.contextmanager
    def _index(self, index: int) -> Iterator[ESYS_TR]:
        found = self._tpm.tr_from_tpmpublic(index)
        try:
            yield found
        finally:
            self._tpm.tr_close(found)

    @contextlib.contextmanager
    def _primary(self, hierarchy: ESYS_TR, template: TPM2B_PUBLIC) -> Iterator[tuple[ESYS_TR, bytes]]:
        """A primary key and its TPMT_PUBLIC, loaded meanwhile: made from the hierarchy's seed, the same each time."""
        made, public, *_ = self._tpm.create_primary(None, template, hierarchy)
        try:
            yield made, public.publicArea.marshal()
        finally:
            self._tpm.flush_context(made)

    def _storage(self) -> contextlib.AbstractContextManager[tuple[ESYS_TR, bytes]]:
        """The storage root, by the usual template: what is wrapped by it opens in this TPM only."""
        return self._primary(ESYS_TR.OWNER, TPM2B_PUBLIC.parse("ecc256:aes128cfb", objectAttributes=_PARENT))

    @contextlib.contextmanager
    def _attestation_key(self) -> Iterator[tuple[ESYS_TR, bytes]]:
        template = TPM2B_PUBLIC.parse("ecc256:ecdsa-sha256:null", objectAttributes=TPMA_OBJECT(int(AK_ATTRIBUTES)))
        with self._primary(ESYS_TR.ENDORSEMENT, template) as key:
            yield key

    @contextlib.contextmanager
    def _session(self, kind: TPM2_SE) -> Iterator[ESYS_TR]:
        session = self._tpm.start_auth_session(
            ESYS_TR.NONE, ESYS_TR.NONE, kind, TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL), TPM2_ALG.SHA256
        )
        try:
            yield session
        finally:
            with contextlib.suppress(TSS2_Exception):  # it went with the connection
                self._tpm.flush_context(session)

    @contextlib.contextmanager
    def _permission(self) -> Iterator[ESYS_TR]:
        """The session that lets the signing key be used."""
        if not self._pcrs:
            yield ESYS_TR.PASSWORD
            return
        with self._session(TPM2_SE.POLICY) as session:
            self._tpm.policy_pcr(session, TPM2B_DIGEST(), self._selection)
            yield session

    def _policy_digest(self) -> TPM2B_DIGEST:
        """What the registers must be, as a policy (PolicyPCR); empty where the key is not bound."""
        if not self._pcrs:
            return TPM2B_DIGEST()
        with self._session(TPM2_SE.TRIAL) as session:
            self._tpm.policy_pcr(session, TPM2B_DIGEST(), self._selection)
            return self._tpm.policy_get_digest(session)

    @property
    def _selection(self) -> TPML_PCR_SELECTION:
        return TPML_PCR_SELECTION.parse("sha256:" + ",".join(map(str, self._pcrs)))


def _certificates(content: bytes) -> Iterator[bytes]:
    """Certificates that follow one another; NV memory may be longer than what it holds."""
    while content[:2] == b"\x30\x82" and len(content) > 4:  # a DER sequence with 16 bits of length
        length = 4 + int.from_bytes(content[2:4], "big")
        yield content[:length]
        content = content[length:]


@contextlib.contextmanager
def _failures(foreign: frozenset[int] = frozenset()) -> Iterator[None]:
    """Turn the stack's failures into ours. foreign: codes that here mean another TPM's key."""
    try:
        yield
    except TSS2_Exception as error:
        raise _named(error, foreign) from error


def _named(error: TSS2_Exception, foreign: frozenset[int]) -> KeyUnusable:
    if error.rc & TSS2_RC.RC_LAYER_MASK and error.rc & TSS2_RC.RC_LAYER_MASK != TSS2_RC.RESMGR_TPM_RC_LAYER:
        return TokenUnreachable(f"the TPM does not answer: {error}")
    if error.error in foreign:
        return KeyForeign(f"the TPM does not hold this desk's key: {error}")
    if error.error in _BOUND:
        return KeyBound("the machine is not in the state that the key is bound to")
    if error.error in _OWNED:
        return KeyUnsupported("the TPM's hierarchies have passwords, which is not supported")
    return TokenUnreachable(f"the TPM refused a command: {error}")
