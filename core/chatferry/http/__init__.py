"""For clients of an HTTP API, iAdvize's and connectors' alike: tokens in headers, and how long to wait."""

from chatferry.http.bearer import Bearer, may_carry_secrets
from chatferry.http.waiting import retry_after

__all__ = ["Bearer", "may_carry_secrets", "retry_after"]
