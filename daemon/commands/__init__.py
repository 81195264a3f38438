"""The verbs of the command line, a module each.

A module's ``register`` adds its verb to the parser and sets ``command``: a function of the parsed arguments that
returns an exit code. It raises :class:`~daemon.errors.ConfigError` or :class:`~daemon.errors.OperatorError` for what
a person has to see to.
"""
