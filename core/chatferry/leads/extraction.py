"""From a conversation to a lead: a destination's strategies in order, and who the lead is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatferry.leads.addresses import usable_email
from chatferry.model import Answer, Conversation, Lead
from chatferry.plugins.calls import CallAborted, CallHung
from chatferry.strategy import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFailure:
    """A strategy that raised or hung; the others went on. ``error`` may hold personal data in its text."""

    strategy: str
    error: Exception = field(repr=False)

    @property
    def reason(self) -> str:
        """What to log: the strategy and the class of what it raised, no text of the conversation."""
        lost = isinstance(self.error, CallHung | CallAborted)
        return f"the strategy {self.strategy} {self.error if lost else f'raised {type(self.error).__name__}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The answers by name, and the strategies that failed on the way."""

    answers: Mapping[str, Answer]
    failures: tuple[StrategyFailure, ...] = ()


def extract(conversation: Conversation, strategies: Sequence[Strategy]) -> Extracted:
    """Run the strategies in order; the first to find a name keeps it.

    A strategy that raises loses what it found in this conversation and holds up nobody else. An
    answer with an empty value, or of another type than :class:`Answer`, is a failure too.
    """
    answers: dict[str, Answer] = {}
    failures: list[StrategyFailure] = []
    for strategy in strategies:
        try:
            found = list(strategy.extract(conversation, dict(answers)))
            _insist_on_answers(found)
        except Exception as error:  # noqa: BLE001  (a plugin's mistake, whatever it is, stays its own)
            failures.append(StrategyFailure(strategy=strategy.name, error=error))
            continue
        for answer in found:
            answers.setdefault(answer.name, answer)
    return Extracted(answers=answers, failures=tuple(failures))


def lead_of(conversation: Conversation, answers: Mapping[str, Answer]) -> Lead:
    """Return the lead, not mapped yet: whose it is and under which keys a CRM knows it.

    The e-mail is the profile's, else the answer ``email``. Without one the visitor's iAdvize id
    tells visitors apart, without that the conversation.
    """
    answer = answers.get("email")
    email = usable_email(conversation.visitor.email) or usable_email(answer.value if answer else None)
    return Lead(
        key=conversation.key,
        contact_key=email or _contact_key(conversation),
        email=email,
        conversation=conversation,
        answers=answers,
    )


def _contact_key(conversation: Conversation) -> str:
    visitor = conversation.visitor.id
    if not visitor:
        return f"conversation:{conversation.key}"
    return f"visitor:{conversation.platform}-{conversation.client_id}-{visitor}"


def _insist_on_answers(found: Sequence[object]) -> None:
    for answer in found:
        if not isinstance(answer, Answer):
            raise TypeError(f"a strategy returns answers, not {type(answer).__name__}")
        if not isinstance(answer.name, str) or not answer.name.strip():
            raise ValueError("an answer has no name")
        if not isinstance(answer.value, str) or not answer.value.strip():
            raise ValueError(f"the answer {answer.name} has no value; leave it out instead")
        _insist_on_texts(answer)
        _insist_on_answers(answer.earlier)


def _insist_on_texts(answer: Answer) -> None:
    """What is no text would be refused by the ledger, and the whole conversation with it."""
    if not isinstance(answer.message_ids, tuple) or not isinstance(answer.earlier, tuple):
        raise TypeError(f"message_ids and earlier of the answer {answer.name} are tuples")
    question = () if answer.question is None else (answer.question,)
    if not all(isinstance(text, str) for text in (answer.strategy, *question, *answer.message_ids)):
        raise TypeError(f"the answer {answer.name} holds something that is no text")
