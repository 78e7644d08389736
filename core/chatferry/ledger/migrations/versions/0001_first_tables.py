"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001.4"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(length=128), nullable=True),
        sa.Column("visitor_id", sa.String(length=128), nullable=True),
        sa.Column("first_seen_at", sa.Double(), nullable=False),
        sa.Column(
            "close_announced_at", sa.Double(), nullable=True, comment="when an event said that it closed"
        ),
        sa.Column("closed_at", sa.Double(), nullable=True, comment="as read from iAdvize"),
        sa.Column("generation", sa.Integer(), nullable=False, comment="how often an event marked it due"),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("is_backfill", sa.Integer(), nullable=False, comment="1 behind live traffic"),
        sa.Column("leased_until", sa.Double(), nullable=True),
        sa.Column("leased_by", sa.String(length=128), nullable=True),
        sa.Column("lease", sa.Integer(), nullable=False, comment="how often it was leased"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="since it was last read"),
        sa.Column("synced_at", sa.Double(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True, comment="why it was not read, if so"),
        sa.Column(
            "waiting_since",
            sa.Double(),
            nullable=True,
            comment="when it was due that has not been read since",
        ),
        sa.Column(
            "event_facts",
            sa.Text(),
            nullable=True,
            comment="JSON: the facts of its pruned events, and what the API showed; may quote the visitor",
        ),
        sa.Column(
            "listed_operators",
            sa.Text(),
            nullable=True,
            comment="JSON: the operators in iAdvize's list of closed conversations",
        ),
        sa.Column("most_messages", sa.Integer(), nullable=False, comment="that a reading showed"),
        sa.Column(
            "most_profile",
            sa.Integer(),
            nullable=False,
            comment="0 nothing, 1 some, 2 an e-mail too",
        ),
        sa.Column("erased_at", sa.Double(), nullable=True, comment="nothing is read of it again"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint(
            "conversation_id",
            "platform",
            "client_id",
            name=op.f("uq_conversations_conversation_id_platform_client_id"),
        ),
    )
    with op.batch_alter_table("conversations") as batch_op:
        batch_op.create_index(
            "ix_conversations_due",
            ["is_backfill", "due_at"],
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_conversations_visitor", ["visitor_id"])

    op.create_table(
        "destinations",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=True),
        sa.Column("leased_by", sa.String(length=128), nullable=True),
        sa.Column(
            "pause_kind",
            sa.String(length=16),
            nullable=True,
            comment="backing-off, quota, credentials, hung or operator",
        ),
        sa.Column("paused_until", sa.Double(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, comment="whole batches in a row"),
        sa.Column("last_success_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_destinations")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("event_type", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("conversation_id", sa.String(length=128), nullable=True),
        sa.Column("occurred_at", sa.Double(), nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True, comment="why nothing follows from it, if so"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="as iAdvize signed it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_events_event_id")),
    )
    with op.batch_alter_table("events") as batch_op:
        batch_op.create_index("ix_events_conversation", ["conversation_id"])
        batch_op.create_index("ix_events_received_at", ["received_at"])

    op.create_table(
        "hook_failures",
        sa.Column("plugin", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("hook", sa.String(length=128), nullable=False),
        sa.Column(
            "reason",
            sa.String(length=255),
            nullable=False,
            comment="what was raised and where, in no words of its own",
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "version", "hook", "reason", name=op.f("pk_hook_failures")),
    )
    op.create_table(
        "locks",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("leased_by", sa.String(length=128), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
    )
    op.create_table(
        "logins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
    )
    with op.batch_alter_table("logins") as batch_op:
        batch_op.create_index("ix_logins_name_at", ["name", "at"])

    op.create_table(
        "memories",
        sa.Column("destination", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("destination", "key", name=op.f("pk_memories")),
    )
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="scheduled, reconcile or backfill"),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True, comment="the page to go on from"),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    with op.batch_alter_table("reconciliations") as batch_op:
        batch_op.create_index("ix_reconciliations_client", ["platform", "client_id", "kind", "started_at"])

    op.create_table(
        "tokens",
        sa.Column("name", sa.String(length=128), nullable=False, comment="a digest of client and user"),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("renew_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is in this state"),
        sa.Column("crm_message", sa.Text(), nullable=True, comment="the CRM's own; may hold personal data"),
        sa.Column("code", sa.String(length=128), nullable=True),
        sa.Column("reference", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="grows with each new content"),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("lead", sa.LargeBinary(), nullable=True),
        sa.Column("queued_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("is_backfill", sa.Integer(), nullable=False, comment="1 behind live traffic"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="of the present content"),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("delivered_at", sa.Double(), nullable=True),
        sa.Column("delivered_version", sa.Integer(), nullable=True),
        sa.Column("delivered_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True, comment="JSON"),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_deliveries_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "conversation", "destination", name=op.f("uq_deliveries_conversation_destination")
        ),
    )
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.create_index(
            "ix_deliveries_content",
            ["state", "queued_at"],
            sqlite_where=sa.text("lead IS NOT NULL OR email IS NOT NULL"),
            postgresql_where=sa.text("lead IS NOT NULL OR email IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_deliveries_due",
            ["destination", "is_backfill", "due_at"],
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_deliveries_email", ["email"])
        batch_op.create_index("ix_deliveries_state", ["destination", "state"])


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_index("ix_deliveries_state")
        batch_op.drop_index("ix_deliveries_email")
        batch_op.drop_index("ix_deliveries_due")
        batch_op.drop_index("ix_deliveries_content")

    op.drop_table("deliveries")
    op.drop_table("tokens")
    with op.batch_alter_table("reconciliations") as batch_op:
        batch_op.drop_index("ix_reconciliations_client")

    op.drop_table("reconciliations")
    op.drop_table("memories")
    with op.batch_alter_table("logins") as batch_op:
        batch_op.drop_index("ix_logins_name_at")

    op.drop_table("logins")
    op.drop_table("locks")
    op.drop_table("hook_failures")
    with op.batch_alter_table("events") as batch_op:
        batch_op.drop_index("ix_events_received_at")
        batch_op.drop_index("ix_events_conversation")

    op.drop_table("events")
    op.drop_table("destinations")
    with op.batch_alter_table("conversations") as batch_op:
        batch_op.drop_index("ix_conversations_visitor")
        batch_op.drop_index("ix_conversations_due")

    op.drop_table("conversations")
