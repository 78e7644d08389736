"""Read due conversations from iAdvize and record what follows from each."""
