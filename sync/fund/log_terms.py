"""The log's name, key and promises: made with the fund, told to desks, changed when a witness joins.

What they are used for is left to `sync.fund.log`. `log.json` is public; desks get it inside fund.json.
"""

from dataclasses import replace

from sync.durable import replace_file
from sync.errors import EnvelopeInvalid, FundIncomplete, FundUnwritable
from sync.fund.home import FundHome
from sync.keyfile import write_secret
from sync.log_checkpoint import LogPolicy
from sync.note import KeyKind, NoteKey, NoteSigner
from sync.strict_json import Members, dump

MERGE_DELAY_S = 600
"""Promised to desks: sixty times what an idle fund needs, so that a restart or a slow witness breaks no promise."""


def create_log(home: FundHome, host: str) -> LogPolicy:
    """Make the key and terms of a new fund's log. Raises KeyUnusable."""
    signer = NoteSigner.create(home.log_key, f"{host}/visits".replace(":", "."), KeyKind.LOG)  # IPv6 has colons
    policy = LogPolicy(signer.public, MERGE_DELAY_S)
    write_secret(home.log_terms, dump(policy.members()))
    return policy


def load_terms(home: FundHome) -> LogPolicy:
    """The log's terms. Raises FundIncomplete."""
    try:
        return LogPolicy.read(Members.parse(home.log_terms.read_bytes()))
    except (OSError, EnvelopeInvalid) as error:
        raise FundIncomplete(f"{home.log_terms.name} cannot be read") from error


def load_signer(home: FundHome, terms: LogPolicy) -> NoteSigner:
    """The log's key. Raises KeyUnusable."""
    return NoteSigner.load(home.log_key, terms.log)


def add_witness(home: FundHome, vkey: str, quorum: int) -> LogPolicy:
    """Trust one more witness, and ask desks for `quorum` cosignatures.

    Raises EnvelopeInvalid, FundIncomplete, FundUnwritable.
    """
    terms, witness = load_terms(home), NoteKey.parse(vkey, KeyKind.WITNESS)
    others = tuple(each for each in terms.witnesses if each != witness)
    terms = replace(terms, witnesses=(*others, witness), quorum=quorum)
    try:
        replace_file(home.log_terms, dump(terms.members()))
    except OSError as error:
        raise FundUnwritable(f"{home.log_terms.name} cannot be written: {error.strerror}") from error
    return terms
