"""How the gateway denies a whole request.

When it does is left to `sync.fund.gateway` and its neighbours, what HTTP makes of it to `sync.fund.app`.
"""


class RequestDenied(Exception):
    """A whole request that changes nothing: part of the conversation with a desk, not a failure of the fund.

    status: of HTTP. code: of PROTOCOL.md section 3. retry_after: seconds, or None.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after
