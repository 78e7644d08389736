"""Run a destination's strategies on a conversation, and build the lead with its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from chatferry.leads.emails import may_hold_email, usable_email
from chatferry.leads.strategies.phones import usable_phone
from chatferry.model import Answer, Conversation, Lead
from chatferry.plugins.calls import CallAborted, CallHung
from chatferry.strategy import Strategy
from chatferry.text import printable

_NO_ADDRESS: Final = "the e-mail in the visitor's profile is no valid address and was left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFailure:
    """A strategy that raised or hung. The text of ``error`` may hold personal data."""

    strategy: str
    error: Exception = field(repr=False)

    @property
    def reason(self) -> str:
        """What to log: the strategy and the class of what it raised, no text of the conversation."""
        lost = isinstance(self.error, CallHung | CallAborted)
        return f"the strategy {self.strategy} {self.error if lost else f'raised {type(self.error).__name__}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The answers by name, and the strategies that failed."""

    answers: Mapping[str, Answer]
    failures: tuple[StrategyFailure, ...] = ()


def extract(conversation: Conversation, strategies: Sequence[Strategy]) -> Extracted:
    """Run the strategies in order; the first answer of a name is kept.

    A strategy that raises loses its own answers only. An answer with an empty value, or of another
    type than :class:`Answer`, is a failure too.
    """
    answers: dict[str, Answer] = {}
    failures: list[StrategyFailure] = []
    for strategy in strategies:
        try:
            found = list(strategy.extract(conversation, dict(answers)))
            _check_answers(found)
        except Exception as error:  # noqa: BLE001  (a plugin's mistake, whatever it is, stays its own)
            failures.append(StrategyFailure(strategy=strategy.name, error=error))
            continue
        for answer in map(_cleaned, found):
            if answer.value.strip():
                answers.setdefault(answer.name, answer)
    return Extracted(answers=answers, failures=tuple(failures))


def lead_of(conversation: Conversation, answers: Mapping[str, Answer]) -> Lead:
    """Return the lead, not mapped yet, with the keys of its records in a CRM.

    The e-mail is the profile's, else the answer ``email``. The contact's key is the e-mail, else the
    visitor's iAdvize id, else the conversation. An e-mail and a telephone number of the profile that
    are none ("n/a") are left out of the lead's visitor.
    """
    answer = answers.get("email")
    written = conversation.visitor.email or ""
    profile = usable_email(written)
    email = profile or usable_email(answer.value if answer else None)
    return Lead(
        key=conversation.key,
        contact_key=email or _contact_key(conversation),
        email=email,
        conversation=_usable(conversation, written if profile == written.strip().lower() else profile),
        answers=answers,
        notes=() if profile or not may_hold_email(written) else (_NO_ADDRESS,),
    )


def _usable(conversation: Conversation, email: str | None) -> Conversation:
    """Return a conversation whose visitor has this e-mail, and a telephone number if it is one."""
    visitor = conversation.visitor
    usable = (email or None, usable_phone(visitor.phone))
    if usable == (visitor.email, visitor.phone):
        return conversation
    return replace(conversation, visitor=replace(visitor, email=usable[0], phone=usable[1]))


def _contact_key(conversation: Conversation) -> str:
    visitor = conversation.visitor.id
    if not visitor:
        return f"conversation:{conversation.key}"
    return f"visitor:{conversation.platform}-{conversation.client_id}-{visitor}"


def _cleaned(answer: Answer) -> Answer:
    """Return an answer as it can be shown: a strategy may have read a visitor's words as they came."""
    value, earlier = printable(answer.value), tuple(map(_cleaned, answer.earlier))
    return (
        answer
        if (value, earlier) == (answer.value, answer.earlier)
        else replace(answer, value=value, earlier=earlier)
    )


def _check_answers(found: Sequence[object]) -> None:
    for answer in found:
        if not isinstance(answer, Answer):
            raise TypeError(f"a strategy returns answers, not {type(answer).__name__}")
        if not isinstance(answer.name, str) or not answer.name.strip():
            raise ValueError("an answer has no name")
        if not isinstance(answer.value, str) or not answer.value.strip():
            raise ValueError(f"the answer {answer.name} has no value; leave it out instead")
        _check_texts(answer)
        _check_answers(answer.earlier)


def _check_texts(answer: Answer) -> None:
    """Refuse what is no text here: in the ledger it would fail the whole conversation."""
    if not all(isinstance(several, tuple) for several in (answer.message_ids, answer.earlier, answer.more)):
        raise TypeError(f"message_ids, earlier and more of the answer {answer.name} are tuples")
    question = () if answer.question is None else (answer.question,)
    texts = (answer.strategy, *question, *answer.message_ids, *answer.more)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"the answer {answer.name} holds something that is no text")
