"""For clients of HTTP APIs, iAdvize's and connectors' alike: bearer tokens and Retry-After.

It does not import requests, which the web process must not load.
"""

from chatferry.http.bearer import Bearer
from chatferry.http.retry_header import retry_after
from chatferry.settings.urls import may_carry_secrets

__all__ = ["Bearer", "may_carry_secrets", "retry_after"]
