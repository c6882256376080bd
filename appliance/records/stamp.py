"""How a moment is written into a table: RFC 3339 with seconds and offset.

Which moment it is comes from the caller; nothing here reads a clock.
"""

from datetime import datetime


def written(at: datetime) -> str:
    """The text of an aware moment. Raises ValueError for one without offset: it would be ambiguous."""
    if at.utcoffset() is None:
        raise ValueError("a moment without an offset cannot be recorded")
    return at.isoformat(timespec="seconds")
