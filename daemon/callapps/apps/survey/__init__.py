"""A few questions from the configuration, and what callers answer to them."""
