"""What is said on a call: utterances, their order, and their way to the store."""
