"""A plugin that uses every public name as its author would: mypy must have nothing to say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, assert_never, assert_type

from marshmallow import Schema, fields

import chatferry
import chatferry_csv
import chatferry_hubspot
from chatferry import (
    Answer,
    AuthFailure,
    AuthorKind,
    Connector,
    Context,
    Conversation,
    Cut,
    DeliveryError,
    FieldMode,
    Finding,
    Lead,
    Level,
    Memory,
    Message,
    Outcome,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    Receipt,
    Record,
    Secret,
    SecretField,
    Strategy,
    TemporaryFailure,
    Visitor,
    cut,
    hookimpl,
    isolate,
)
from chatferry.http.answer import HttpAnswer
from chatferry.http.client import ApiClient
from chatferry.http.outcomes import (
    USUAL,
    Complaint,
    ErrorTable,
    away,
    forbidden,
    quota,
    refused,
    slower,
    temporary,
)
from chatferry.http.pace import Pace
from chatferry.http.tokens import RefreshGrant, RenewedToken, StaticToken, TokenSource, read_token
from chatferry.records import (
    Draft,
    Fields,
    Result,
    Written,
    fold,
    is_account_wide,
    open_drafts,
    settle,
    stopped_by,
    write_folded,
    write_repaired,
)

assert_type(chatferry.__version__, str)


class CardSettings(Schema):
    """What a destination says."""

    token = SecretField(required=True)
    colour = fields.String(load_default="blue")


class CardConnector(Connector):
    """Writes a card a lead."""

    name = "cards"
    batch_size = 10
    timeout = 30.0
    Settings = CardSettings
    mapping: ClassVar = {"contact": {"mail": "email"}, "conversation": {"text": "transcript"}}
    modes = frozenset({FieldMode.OVERWRITE, FieldMode.FILL_IF_EMPTY, FieldMode.CREATE_ONLY})

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        assert_type(self.context.destination, str)
        assert_type(self.context.directory, Path)
        assert_type(self.context.memory, Memory)
        assert_type(self.context.fields, Mapping[str, tuple[str, ...]])
        token: Secret = settings["token"]
        assert_type(token.reveal(), str)

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Return a receipt or an error for each lead."""
        return [self._written(lead) for lead in leads]

    def _written(self, lead: Lead) -> Outcome:
        assert_type(lead.email, str | None)
        assert_type(lead.visitor, Visitor)
        assert_type(lead.receipt, Receipt | None)
        assert_type(lead.transcript, str)
        record = lead.records["conversation"]
        assert_type(record, Record)
        assert_type(record.initial, dict[str, str | int | float | bool | datetime | None])
        shorter = cut(lead.transcript, 1000, size=lambda text: len(text.encode()))
        assert_type(shorter, Cut | None)
        text = shorter.text if shorter else lead.transcript
        if not text:
            return PermanentFailure(
                "there is nothing to write", crm_message="empty", code="E1", reference="r-1"
            )
        self.context.memory.put("last", lead.key)
        return Receipt(
            ids={"conversation": lead.key}, url=None, created=True, notes=("cut",) if shorter else ()
        )

    def check(self) -> Sequence[Finding]:
        """Say how the account is."""
        return [Finding(level=Level.OK, subject="account", message="is there")]

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Take the cards away."""
        self.context.memory.forget("last")
        return list(receipts)


class PlateStrategy(Strategy):
    """Finds a licence plate."""

    name = "plate"
    timeout = 1.0

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:
        """Look at what the visitor wrote."""
        if "plate" in found:
            return
        for message in conversation.messages:
            assert_type(message, Message)
            if message.author.kind is AuthorKind.VISITOR:
                for text in message.texts:
                    assert_type(text, str)
                    yield Answer(name="plate", value=text, message_ids=(message.id,), strategy=self.name)


@hookimpl
def register_connectors() -> Sequence[type[Connector]]:
    """Offer the connector."""
    return [CardConnector]


@hookimpl
def register_strategies() -> Sequence[type[Strategy]]:
    """Offer the strategy."""
    return [PlateStrategy]


@hookimpl(tryfirst=True)
def veto_delivery(lead: Lead, destination: str) -> str | None:
    """Refuse what cannot be answered."""
    return None if lead.email or destination == "archive" else "it has no address"


@hookimpl
def delivery_failed(lead: Lead, destination: str, error: DeliveryError, dead: bool) -> None:  # noqa: ARG001, FBT001  (the signature of the hook)
    """Tell of what was given up."""
    assert_type(wait(error), float | None)


# A hook stays the function it was: it can be called, and keeps its types; so do the shipped plugins'.
assert_type(register_strategies(), Sequence[type[Strategy]])
assert_type(chatferry_csv.register_connectors(), list[type[Connector]])
assert_type(chatferry_hubspot.register_connectors(), Sequence[type[Connector]])


def wait(error: DeliveryError) -> float | None:
    """Say how long an error asks to wait, by its class."""
    assert_type(error.code, str | None)
    assert_type(error.crm_message, str)
    if isinstance(error, TemporaryFailure):  # RateLimited is one
        return error.retry_after
    if isinstance(error, QuotaExhausted):
        assert_type(error.until, datetime | None)
    return None


def outcome(delivered: Outcome) -> str:
    """Tell the two outcomes apart; there is no third."""
    if isinstance(delivered, Receipt):
        return "created" if delivered.created else "updated"
    if isinstance(delivered, DeliveryError):
        return delivered.message
    assert_never(delivered)


FAILURES: list[DeliveryError] = [
    RateLimited("too fast", retry_after=1.5),
    TemporaryFailure("away"),
    QuotaExhausted("enough for today", until=datetime.now(tz=UTC) + timedelta(hours=1)),
    AuthFailure("the token was taken back"),
]


class CardClient(ApiClient):
    """Calls the cards' API."""

    crm = "the cards"

    @property
    def tokens(self) -> TokenSource:
        """Return a key that never ends."""
        return StaticToken(Secret("key"))

    def error_of(self, answer: HttpAnswer) -> DeliveryError | None:
        """Look an error up."""
        assert_type(answer.body, Any)
        said = Complaint(status=answer.status, retry_after=answer.retry_after)
        return None if answer.is_success else MEANINGS.error(said, answer.status, ["CODE"])


class CardPace(Pace):
    """Reads the headers of the cards' API."""

    def after(self, answer: HttpAnswer) -> None:
        """Spread what is left."""
        self.spread(left=float(answer.header("X-Left") or 100), most=100, seconds=60)


MEANINGS = ErrorTable(
    USUAL,
    {409: refused("twice"), (403, "LIMIT"): quota("enough", wait=60), "LOCK": temporary("locked", wait=1)},
    {"SLOW": slower("slower"), 451: forbidden("not here")},
    otherwise=away,
)


def renewed(memory: Memory, client: CardClient) -> RenewedToken:
    """Return a token that is renewed with a refresh token."""
    return RenewedToken(
        RefreshGrant(
            client_id="card",
            client_secret=Secret("secret"),
            refresh_token=Secret("refresh"),
            memory=memory,
            exchange=lambda form: client.exchange_form("https://cards.example/token", form).body,
            read=read_token,
        )
    )


def put(client: CardClient, cards: Sequence[str]) -> Any:
    """Put cards."""
    client.begin(60.0)
    assert_type(client.calls, int)
    return client.request("PUT", "/cards", payload=list(cards), headers={"X-Rule": "allow"}).body


def drafts(leads: Sequence[Lead]) -> list[Draft]:
    """Return the cards of leads, cut where they are too long."""
    made = []
    for lead in leads:
        mapped = lead.records["contact"]
        whole = Fields(
            values=mapped.values, fill_if_empty=mapped.fill_if_empty, create_only=mapped.create_only
        )
        shorter = whole.cut(lambda _, text: cut(text, 100), lambda name, _: f"{name} was cut")
        made.append(
            Draft(key_field="key", key=lead.contact_key, fields=shorter.plus("key", lead.contact_key))
        )
    return made


def put_drafts(some: Sequence[Draft]) -> None:
    """Give each draft its result."""
    settle(open_drafts(some), Written(id="card-1", created=True))


def repair(some: Sequence[Draft]) -> Sequence[Draft]:
    """Find nothing to repair."""
    assert_type(stopped_by(some), Result | None)
    return [one for one in some if is_account_wide(one.result)]


def write_all(leads: Sequence[Lead]) -> list[str]:
    """Write each card once."""
    some = drafts(leads)
    write_folded(some, lambda part: write_repaired(part, put_drafts, repair, times=2), same=str.casefold)
    assert_type(fold([one.fields for one in some]), Fields)
    return [one.written.id for one in some]


def write(values: Sequence[str]) -> Sequence[Receipt]:
    """Stand for a call that writes many records at once."""
    return [Receipt(ids={"card": value}) for value in values]


def write_each(values: Sequence[str]) -> Sequence[Outcome]:
    """Write many, and find those that are refused."""
    return isolate(values, write, refusal=PermanentFailure, stop=TemporaryFailure, size=100, calls=64)
