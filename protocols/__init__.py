"""Wire formats: bytes or JSON in, values out. No sockets, no clock, no logging."""
