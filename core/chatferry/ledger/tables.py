"""The ledger's tables. Times are seconds since 1970, UTC; a due time of None means nothing to do."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(name: str, *columns: str, where: str) -> Index:
    """Return an index of the rows that still matter: what is done must not be gone through at each poll."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


# SQLite numbers rows by itself only where the key is an INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")

events = Table(
    "events",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("event_type", String(128), nullable=False),
    Column("platform", String(128), nullable=False),
    Column("client_id", BigInteger),
    Column("project_id", BigInteger),
    Column("conversation_id", String(128)),
    Column("occurred_at", Double),
    Column("received_at", Double, nullable=False),
    Column("refusal", Text, comment="why nothing follows from it, if so"),
    Column("body", LargeBinary, nullable=False, comment="as iAdvize signed it"),
    Index("ix_events_conversation", "conversation_id"),
    Index("ix_events_received_at", "received_at"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("platform", String(128), nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("conversation_id", String(128), nullable=False),
    Column("project_id", BigInteger),
    Column("channel", String(128)),
    Column("visitor_id", String(128)),
    Column("first_seen_at", Double, nullable=False),
    Column("close_announced_at", Double, comment="when an event said that it closed"),
    Column("closed_at", Double, comment="as read from iAdvize"),
    Column("generation", Integer, nullable=False, comment="how often an event marked it due"),
    Column("due_at", Double),
    Column("is_backfill", Integer, nullable=False, default=0, comment="1 behind live traffic"),
    Column("leased_until", Double),
    Column("leased_by", String(128)),
    Column("lease", Integer, nullable=False, default=0, comment="how often it was leased"),
    Column("attempts", Integer, nullable=False, default=0, comment="since it was last read"),
    Column("synced_at", Double),
    Column("problem", Text, comment="why it was not read, if so"),
    Column("waiting_since", Double, comment="when it was due that has not been read since"),
    Column(
        "event_facts",
        Text,
        comment="JSON: the facts of its pruned events, and what the API showed; may quote the visitor",
    ),
    Column("listed_operators", Text, comment="JSON: the operators in iAdvize's list of closed conversations"),
    Column("most_messages", Integer, nullable=False, default=0, comment="that a reading showed"),
    Column("most_profile", Integer, nullable=False, default=0, comment="0 nothing, 1 some, 2 an e-mail too"),
    Column("erased_at", Double, comment="nothing is read of it again"),
    # The id first: one index serves the events of a conversation as well, which name it alone.
    UniqueConstraint("conversation_id", "platform", "client_id"),
    _partial("ix_conversations_due", "is_backfill", "due_at", where="due_at IS NOT NULL"),
    Index("ix_conversations_visitor", "visitor_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("conversation", _Number, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("destination", String(128), nullable=False),
    Column("key", String(255), nullable=False),
    Column("email", String(320)),
    Column("state", String(16), nullable=False),
    Column("reason", Text, comment="why it is in this state"),
    Column("crm_message", Text, comment="the CRM's own; may hold personal data"),
    Column("code", String(128)),
    Column("reference", String(128)),
    Column("version", Integer, nullable=False, comment="grows with each new content"),
    Column("fingerprint", String(64)),
    Column("lead", LargeBinary),
    Column("queued_at", Double, nullable=False),
    Column("due_at", Double),
    Column("is_backfill", Integer, nullable=False, default=0, comment="1 behind live traffic"),
    Column("attempts", Integer, nullable=False, default=0, comment="of the present content"),
    Column("failing_since", Double),
    Column("delivered_at", Double),
    Column("delivered_version", Integer),
    Column("delivered_fingerprint", String(64)),
    Column("receipt", Text, comment="JSON"),
    UniqueConstraint("conversation", "destination"),
    _partial("ix_deliveries_due", "destination", "is_backfill", "due_at", where="due_at IS NOT NULL"),
    _partial("ix_deliveries_content", "state", "queued_at", where="lead IS NOT NULL OR email IS NOT NULL"),
    Index("ix_deliveries_state", "destination", "state"),
    Index("ix_deliveries_email", "email"),
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("leased_until", Double),
    Column("leased_by", String(128)),
    Column("pause_kind", String(16), comment="backing-off, quota, credentials, hung or operator"),
    Column("paused_until", Double),
    Column("pause_reason", Text),
    Column("failures", Integer, nullable=False, default=0, comment="whole batches in a row"),
    Column("last_success_at", Double),
)

hook_failures = Table(
    "hook_failures",
    metadata,
    Column("plugin", String(128), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("hook", String(128), primary_key=True),
    Column(
        "reason",
        String(255),
        primary_key=True,
        comment="what was raised and where, in no words of its own",
    ),
    Column("count", Integer, nullable=False),
    Column("last_at", Double, nullable=False),
)

memories = Table(
    "memories",
    metadata,
    Column("destination", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(128), primary_key=True, comment="a digest of client and user"),
    Column("token", Text, nullable=False),
    Column("renew_at", Double, nullable=False),
)

logins = Table(
    "logins",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("at", Double, nullable=False),
    Index("ix_logins_name_at", "name", "at"),
)

locks = Table(
    "locks",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("leased_by", String(128), nullable=False),
    Column("leased_until", Double, nullable=False),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("platform", String(128), nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False, comment="scheduled, reconcile or backfill"),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("cursor", Text, comment="the page to go on from"),
    Column("found", Integer, nullable=False, default=0),
    Column("missing", Integer, nullable=False, default=0),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    Index("ix_reconciliations_client", "platform", "client_id", "kind", "started_at"),
)
