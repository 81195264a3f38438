"""Call apps tried without a telephone: a switch of one call, whose caller hears and speaks in text."""
