"""The web side: the webhook endpoint and what orchestrators and iAdvize look at."""

from chatferry.web.app import create_app

__all__ = ["create_app"]
