"""Own an event: verified, written and committed before it is acknowledged."""
