"""Everything that knows iAdvize: its webhooks, its access keys, its GraphQL API, its messages."""
