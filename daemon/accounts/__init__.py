"""People and machines that sign in: passwords, sessions, API tokens, roles, and the trail of who changed what."""
