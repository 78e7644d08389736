"""From a conversation to a lead: a destination's rules, strategies and field mapping."""
