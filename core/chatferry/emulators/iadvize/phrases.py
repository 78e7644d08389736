"""What people say in the generated conversations, read from ``phrases.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, the ways it is answered (each a list of messages), and a menu if it has one."""

    ask: str
    answers: tuple[tuple[str, ...], ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The phrases of one language; ``code`` is what ``Conversation.language`` says."""

    code: str
    hello: tuple[str, ...]
    visitor_hello: tuple[str, ...]
    chat: tuple[str, ...]
    visitor_chat: tuple[str, ...]
    agent_hello: str
    bye: str
    thanks: str
    email_hint: str
    phone_hint: str
    automatic: str
    questions: Mapping[str, Question]
    ask_email: str
    ask_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """Every language, and the names of people and places."""

    languages: tuple[Language, ...]
    first_names: tuple[str, ...] = field(repr=False)
    last_names: tuple[str, ...] = field(repr=False)
    agents: tuple[tuple[str, str], ...]
    domains: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]


def load_phrases() -> Phrases:
    """Read the phrases that ship with the package."""
    text = resources.files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    names = tables.pop("names")
    return Phrases(
        languages=tuple(_language(code, table) for code, table in tables.items()),
        first_names=tuple(names["first"]),
        last_names=tuple(names["last"]),
        agents=tuple((first, last) for first, last in names["agents"]),
        domains=tuple(names["domains"]),
        cities=tuple((city, zip_code, country) for city, zip_code, country in names["cities"]),
    )


def _language(code: str, table: Mapping[str, Any]) -> Language:
    questions = {
        topic: Question(
            ask=question["ask"],
            answers=tuple(tuple(messages) for messages in question["answers"]),
            choices=tuple(question.get("choices", ())),
        )
        for topic, question in table["questions"].items()
    }
    several: dict[str, Any] = {
        name: tuple(table[name]) for name in ("hello", "visitor_hello", "chat", "visitor_chat")
    }
    single: dict[str, Any] = {
        name: table[name]
        for name in ("agent_hello", "bye", "thanks", "email_hint", "phone_hint", "automatic")
    }
    asks = {"ask_email": table["ask"]["email"], "ask_name": table["ask"]["name"]}
    return Language(code=code, questions=questions, **several, **single, **asks)
