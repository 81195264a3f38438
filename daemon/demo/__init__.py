"""A simulated FreeSWITCH, its callers and a player of recordings, on real loopback sockets."""
