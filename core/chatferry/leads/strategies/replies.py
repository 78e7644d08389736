"""Which of the visitor's messages reply to a marked question: where an answer ends though none is asked next.

What ends it is in :meth:`Reply.interrupt` and :meth:`Reply.add`; it may end before it has begun.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from chatferry.leads.quotes import own_words
from chatferry.leads.strategies.goodbyes import says_goodbye
from chatferry.leads.transcripts import readable, readable_text
from chatferry.model import AuthorKind, Message

_URL = re.compile(r"\b(?:https?://|www\.)\S+")
_QUESTION = re.compile("[?？؟]|(?:です|ます)か|教えて(?:ください|下さい)")  # noqa: RUF001  (Japanese often needs no mark)
_MENU = "QuickReplyMenuAttachment"
_HANDED_ON = ("TransferredTo", "ConversationPushed", "ConversationClosed", "VisitorLeft")
"""How the kinds of the system's attachments begin that say that this talk is over."""


@dataclass(slots=True, kw_only=True)
class Reply:
    """The reply to the marked questions of one message, collected message by message.

    ``interjections`` is how many times the brand may still speak without ending it; None: as often as it
    likes, until the next marked question.
    """

    asked: Message
    questions: Sequence[tuple[str, str]]
    """The name and the text of each question of the message."""
    interjections: int | None
    words: list[tuple[str, str]] = field(default_factory=list, repr=False)
    files: list[tuple[str, str]] = field(default_factory=list, repr=False)
    more: list[str] = field(default_factory=list)
    """The ids of the visitor's messages after the end."""
    _interrupted: bool = False
    _ended: bool = False

    @property
    def said(self) -> list[tuple[str, str]]:
        """The id and the text of each message of the reply; of files, where the visitor said nothing else."""
        return self.words or self.files

    def add(self, message: Message) -> None:
        """Take a message of the visitor, who ends the reply by a question of their own or a goodbye."""
        text = own_words(readable_text(message.text))
        shown = text or (readable(message) if message.attachments else "")
        if not shown:
            return
        self._ended = self._ended or self._leaves(text)
        if self._ended:
            self.more.append(message.id)
        else:
            (self.words if text else self.files).append((message.id, shown))
        self._interrupted = False

    def _leaves(self, text: str) -> bool:
        if not self.said or self.interjections is None:
            return False
        return says_goodbye(text) or (self._interrupted and _asks(text))

    def interrupt(self, message: Message) -> None:
        """Let the brand or the system speak: a transfer, goodbye, question or more talk ends the reply."""
        if self._ended or self.interjections is None:
            return
        if _hands_on(message) or says_goodbye(message.text) or self._turns_away(message):
            self._ended = True
        elif self.said and not self._interrupted and any(message.texts):
            self._interrupted = True
            self.interjections -= 1
            self._ended = self.interjections < 0

    def _turns_away(self, message: Message) -> bool:
        """Return whether something else is asked; before the first reply its author only goes on asking."""
        return _is_question(message) and bool(self.said or message.author != self.asked.author)


def _hands_on(message: Message) -> bool:
    return any(attachment.kind.startswith(_HANDED_ON) for attachment in message.attachments)


def _is_question(message: Message) -> bool:
    """Return whether a message is plainly a question: it has a question mark, or a menu of replies."""
    if any(attachment.kind == _MENU for attachment in message.attachments):
        return True
    is_automatic = message.author.kind is AuthorKind.SYSTEM
    return any(map(_asks, message.texts if is_automatic else (message.text,)))


def _asks(text: str) -> bool:
    return _QUESTION.search(_URL.sub("", text)) is not None
