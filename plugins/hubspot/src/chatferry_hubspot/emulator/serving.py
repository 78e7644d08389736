"""The Flask application class: it has the account, and serialises the calls that use it."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g
from flask.typing import ResponseReturnValue

from chatferry.emulators import FaultBoard
from chatferry_hubspot.emulator.account import Account
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.keys import Key
from chatferry_hubspot.emulator.misbehaviour import HubSpotMisbehaviour


class HubSpotApp(Flask):
    """An emulated HubSpot."""

    def __init__(self, account: Account, board: FaultBoard) -> None:
        super().__init__("chatferry_hubspot.emulator", static_folder=None)
        self.account = account
        self.misbehaviour = HubSpotMisbehaviour(board)

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view under the lock of the account, as one transaction; faults sleep outside the lock."""
        with self.account.lock:
            return super().dispatch_request()


def app() -> HubSpotApp:
    """Return the application of this call."""
    return cast("HubSpotApp", current_app)


def account() -> Account:
    """Return the account of this call."""
    return app().account


def require(*any_of: str) -> None:
    """Check that the caller has one of these scopes.

    :raises ApiError: 403 naming them.
    """
    key: Key = g.key
    account().keys.require(key, *any_of)


def kind_for(name: str, action: str) -> ObjectType:
    """Return the object type a path names, if the caller may ``read`` or ``write`` its records."""
    found = account().kind(name)
    require(found.scope(action))
    return found
