"""What operators do: look at a conversation's timeline, retry deliveries, erase people."""
