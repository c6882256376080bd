"""The file of claims that the fund compares with confirmations: bytes in, claims with pseudonyms out.

What becomes of a claim is `sync.fund.reconciliation`'s. The file names patients by IIN; from here on they have the
pseudonym that events have.
"""

import re
from collections.abc import Mapping
from datetime import date

from appliance.core.errors import ClaimsFileInvalid
from appliance.core.iin import Iin
from appliance.records.table_file import check_fields, read_form, read_lines, table_rows
from appliance.records.vault import pseudonym
from sync.fund.reconciliation import Claim

COLUMNS = ("claim", "clinic", "iin", "service_code", "provider", "date")
"""claim: the claim's own number, once in a file. clinic: as its desks were invited. date: YYYY-MM-DD."""

FILE_MAX = 256 * 1024 * 1024
"""Bytes: some three million claims; all of a country's day are 1.6 million."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_claims(content: bytes, key: bytes) -> tuple[Claim, ...]:
    """Read a whole file. key: of the fund's pseudonyms, 32 bytes.

    Raises ClaimsFileInvalid, which names up to ten lines, if a single one is wrong.
    """
    if len(content) > FILE_MAX:
        raise ClaimsFileInvalid(f"the file is larger than {FILE_MAX} bytes")
    rows = table_rows(content, COLUMNS, (), ClaimsFileInvalid)
    return read_lines(
        rows, lambda _, row: _claim(row, key), lambda claim: claim.name, "the same number", ClaimsFileInvalid
    )


def _claim(row: Mapping[str, str], key: bytes) -> Claim:
    check_fields(row)
    return Claim(
        name=row["claim"],
        clinic=row["clinic"],
        patient=pseudonym(Iin.parse(row["iin"]), key),
        code=row["service_code"],
        provider=row["provider"],
        day=read_form(row["date"], _DAY, date.fromisoformat, "date is not a day YYYY-MM-DD"),
    )
