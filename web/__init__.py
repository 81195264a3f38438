"""Whoever connects to Parley: pages, REST, socket.io."""
