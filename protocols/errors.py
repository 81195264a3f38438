"""Whose fault a protocol error is, which decides what to do about it.

Every error of :mod:`protocols` about a link is one of three:

* :class:`LocalError`: we asked for something the protocol cannot carry. Nothing was written; the link is fine.
* :class:`RemoteError`: the other side sent what cannot be understood. The stream has no known frame border any
  more: drop the link and connect again.
* :class:`RefusedError`: the other side understood and said no (``-ERR``). The link is fine.

A webhook has no link: one that does not prove who sent it raises
:class:`protocols.webhooks.signatures.SignatureRefusedError`, and is answered. So is an instruction of a relay app that
cannot be followed (:class:`protocols.relay.messages.InstructionRefusedError`): the app may send a better one.
"""


class ProtocolError(Exception):
    """The root of every error of :mod:`protocols`."""


class LocalError(ProtocolError, ValueError):
    """We misused the protocol. Raised before a byte is written; the link stays usable."""


class RemoteError(ProtocolError):
    """The other side broke the protocol. The link must be dropped."""


class LimitError(RemoteError):
    """The other side sent more than a limit allows. ``limit`` names the argument that sets it."""

    def __init__(self, limit: str, allowed: int) -> None:
        super().__init__(f"the peer sent more than {limit}={allowed} allows")
        self.limit = limit
        self.allowed = allowed


class RefusedError(ProtocolError):
    """The other side refused what we asked; ``text`` is its own answer. The link stays usable."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
