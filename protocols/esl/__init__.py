"""FreeSWITCH's event socket (``mod_event_socket.c``), both directions, without any I/O."""
