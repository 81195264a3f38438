"""Call apps: Parley answers the phone."""
