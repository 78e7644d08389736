"""What drives sync and deliver."""
