"""The secrets and personal data that tests put into the product, and how they are found in a text.

A test that needs a secret takes it from here, and one that needs a person takes an emulated visitor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from chatferry.emulators.iadvize.phrases import Language, load_phrases
from chatferry.testing.leads import PERSONAL

WEBHOOK_SECRET = "yourSecretToken"
IADVIZE_USER = "connector@example.com"
IADVIZE_PASSWORD = "emulated"
HUBSPOT_TOKEN = "pat-emulator"
HUBSPOT_CLIENT_SECRET = "secret-emulator"
HUBSPOT_REFRESH_TOKEN = "refresh-emulator"
SALESFORCE_CLIENT_SECRET = "secret-emulator"
SALESFORCE_REFRESH_TOKEN = "refresh-emulator"
DATABASE_PASSWORD = "hunter2"

SECRETS = (
    WEBHOOK_SECRET,
    IADVIZE_USER,
    IADVIZE_PASSWORD,
    HUBSPOT_TOKEN,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    DATABASE_PASSWORD,
)

SHAPES = (
    # an address, or a password in a URL
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    # a header with a token in it
    re.compile(r"(?i)\bbearer [\w.-]{4,}"),
    # what the emulators issue
    re.compile(r"\b(?:access|refresh)-[0-9a-f]{32}\b|00DE0!AQ[0-9a-f]{32}"),
    # the numbers of the emulated visitors
    re.compile(r"\+33 1 99 00|\+49 30 23125|\+1 202-555-01"),
)
"""What is private whatever its value."""

SHORTEST = 6
"""Characters below which a secret of a test may be a word of the log."""


def private_in(text: str, secrets: Iterable[str] = ()) -> set[str]:
    """Return what a text shows that no log may show: of ``secrets``, and of what all tests play with."""
    return {*_shown(text, secrets)}


def refuse_private(log: str) -> None:
    """Check that what a process of its own wrote shows nothing private."""
    leaks = [f"{sorted(shown)} in: {line}" for line in log.splitlines() if (shown := private_in(line))]
    assert not leaks, "the log shows what is private\n" + "\n".join(leaks)


def _shown(text: str, secrets: Iterable[str]) -> Iterator[str]:
    for word in (*SECRETS, *secrets, *_names()):
        alone = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
        if word in text and len(word) >= SHORTEST and re.search(alone, text):
            yield word
    lower = text.lower()
    yield from (part for part in PERSONAL if part in lower)
    yield from (said for said in _messages() if said in text)
    for shape in SHAPES:
        yield from shape.findall(text)


@cache
def _names() -> tuple[str, ...]:
    """The longer names of emulated visitors; the short ones may be words."""
    phrases = load_phrases()
    return (*phrases.first_names, *phrases.last_names)


@cache
def _messages() -> tuple[str, ...]:
    """What emulated visitors write, as far as no other text could be the same by chance."""
    said = (text for language in load_phrases().languages for text in _messages_in(language))
    return tuple({text for text in said if " " in text and len(text) >= 2 * SHORTEST})


def _messages_in(language: Language) -> Iterator[str]:
    yield from (*language.visitor_hello, *language.visitor_chat, language.thanks)
    yield from (hint.partition("{")[0].strip() for hint in (language.email_hint, language.phone_hint))
    for question in language.questions.values():
        yield from (text for answer in question.answers for text in answer)
