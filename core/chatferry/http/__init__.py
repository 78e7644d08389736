"""For clients of HTTP APIs, iAdvize's and connectors' alike: bearer tokens and Retry-After.

It does not import requests, which the web process must not load.
"""

from chatferry.http.bearer import Bearer, may_carry_secrets
from chatferry.http.retry_header import retry_after

__all__ = ["Bearer", "may_carry_secrets", "retry_after"]
