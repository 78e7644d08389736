"""What drives sync and deliver."""

from chatferry.runners.local import LocalRunner

__all__ = ["LocalRunner"]
