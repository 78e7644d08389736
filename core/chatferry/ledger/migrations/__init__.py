"""The ledger's schema, step by step, as Alembic migrations."""
