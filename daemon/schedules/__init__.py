"""What is due when, and each time once."""
