"""Strategies of IINs, and of what people type for one."""

from datetime import date

from hypothesis import strategies as st

from appliance.core.iin import check_digit


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """The first eleven digits of any person born 1800 to 2099, issuable or not."""
    born = draw(st.dates(date(1800, 1, 1), date(2099, 12, 31)))
    century = 2 * (born.year // 100 - 18) + draw(st.integers(1, 2))
    return f"{born:%y%m%d}{century}{draw(st.integers(0, 9999)):04}"


@st.composite
def iins(draw: st.DrawFn) -> str:
    """A valid IIN."""
    body = draw(bodies().filter(lambda eleven: check_digit(eleven) is not None))
    return f"{body}{check_digit(body)}"
