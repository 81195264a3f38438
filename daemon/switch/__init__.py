"""FreeSWITCH: two links to each switch, its events as call events, and what can be done to its legs."""
