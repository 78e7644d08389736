"""Accept webhooks: an event is committed before it is acknowledged."""
