"""The Parley process."""
