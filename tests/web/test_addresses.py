from __future__ import annotations

import pytest

from chatferry.web.addresses import Addresses
from chatferry.web.asgi_messages import Head


def head(peer: str, forwarded: str = "") -> Head:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    return Head(method="POST", path="/", query="", headers=headers, peer=peer)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
    [
        ((), "192.0.2.1", "192.0.2.7", "192.0.2.1"),
        (("127.0.0.1/32",), "127.0.0.1", "192.0.2.7", "192.0.2.7"),
        (("127.0.0.1/32",), "127.0.0.1", "10.9.9.9, 192.0.2.7", "192.0.2.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), "127.0.0.1", "192.0.2.7, 10.0.0.1", "192.0.2.7"),
        (("127.0.0.1/32",), "127.0.0.1", "", "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", " , ", "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", "made up", "made up"),
        (("::1/128",), "::1", "2001:db8::7", "2001:db8::7"),
        (("127.0.0.1/32",), "192.0.2.1", "192.0.2.7", "192.0.2.1"),
    ],
)
def test_only_what_a_trusted_proxy_says_is_believed(trusted, peer, forwarded, expected):
    assert Addresses(trusted).sender(head(peer, forwarded)) == expected
