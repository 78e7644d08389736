"""What each path of the data API does."""
