"""What drives sync and deliver."""

from chatferry.runners.local import LocalRunner
from chatferry.runners.priority import take_short_turns

__all__ = ["LocalRunner", "take_short_turns"]
