"""The desk's tables about the fund's log: checkpoints it has seen, proofs it keeps, evidence against the fund.

Using them is left to `log_receipts`; the migration belongs to `schema`. All but the state is append-only.
"""

from typing import Final

_APPEND_ONLY: Final = ("log_seen", "log_proof", "log_evidence")

LOG_STATEMENTS: Final = (
    """CREATE TABLE log_seen (
        size INTEGER PRIMARY KEY,
        root BLOB NOT NULL CHECK (length(root) = 32),
        note TEXT NOT NULL,
        seen REAL NOT NULL
    ) STRICT""",
    """CREATE TABLE log_proof (
        seq INTEGER PRIMARY KEY REFERENCES event (seq),
        count INTEGER NOT NULL CHECK (count > 0),
        place INTEGER NOT NULL,
        size INTEGER NOT NULL REFERENCES log_seen (size),
        hashes BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE log_evidence (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        what TEXT NOT NULL,
        ours TEXT NOT NULL,
        theirs TEXT NOT NULL,
        UNIQUE (what, theirs)
    ) STRICT""",
    """CREATE TABLE log_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        upto INTEGER NOT NULL,
        waiting_seq INTEGER,
        waiting_since REAL,
        overdue_seq INTEGER,
        checked REAL,
        error TEXT
    ) STRICT""",
    "INSERT INTO log_state (id, upto) VALUES (1, 0)",
    *(
        f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in _APPEND_ONLY
        for deed in ("UPDATE", "DELETE")
    ),
)
