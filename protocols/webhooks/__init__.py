"""Webhooks: who sent one, what it is, and how one of ours is signed."""
