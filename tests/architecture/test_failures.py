"""Known failures: each has a code of its own and something the operator can do."""

import re
from collections import Counter

import pytest

from sync.errors import KnownFailure
from tests.architecture.source import subclasses

FAILURES = subclasses(KnownFailure)
RAISED = [kind for kind in FAILURES if not (kind.__doc__ or "").rstrip(".").endswith("never raised itself")]


def test_codes_are_unique() -> None:
    """A code in a manual or on the telephone means one thing."""
    counts = Counter(kind.code for kind in RAISED)
    assert [code for code, times in counts.items() if times > 1] == []


@pytest.mark.parametrize("kind", RAISED)
def test_a_failure_says_what_to_do(kind: type[KnownFailure]) -> None:
    """Code by the pattern, a remedy that is a sentence or a command, and a description."""
    assert re.fullmatch(r"E-[A-Z]{2,5}-\d{2}", kind.code)
    assert "code" in vars(kind), "each class has a code of its own"
    assert len(kind.remedy) >= 10
    assert kind.__doc__
    assert 1 < kind.exit_code < 126
