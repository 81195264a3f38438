"""People write to a bot: what they mean is found, done, and answered."""
