"""The routes, a module for each noun: every one is an :class:`web.endpoint.Endpoint`, and nothing else is served."""
