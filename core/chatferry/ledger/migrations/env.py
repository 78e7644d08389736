"""Alembic's entry point: run the migrations on the connection chatferry hands over."""

from __future__ import annotations

from alembic import context

from chatferry.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
