"""What an extraction plugin subclasses: one way to find answers in a conversation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from marshmallow import Schema

from chatferry.model import Answer, Conversation


class Strategy(ABC):
    """One way to find answers. An instance serves one destination and keeps no state.

    :cvar name: the strategy's name in a destination's ``strategies``.
    :cvar Settings: validates what the destination says beside the name.
    :cvar timeout: seconds that one conversation may take; a call that takes longer is left behind.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Schema]] = Schema
    timeout: ClassVar[float] = 10.0

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    @abstractmethod
    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:
        """Return what is found, each answer naming the messages it came from.

        ``found`` holds the answers of the destination's earlier strategies; a name in it is
        taken, and an answer returned under it again is dropped.
        """
