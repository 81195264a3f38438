"""What can be wrong with a name, a password or a sign-in. Every text may be shown to the person."""

from __future__ import annotations


class AccountError(Exception):
    """The root of the errors of this room."""


class SignInRefused(AccountError):  # noqa: N818 - said as the person is told it
    """The name, the password or the code is not right. Which one is never said."""

    def __init__(self) -> None:
        super().__init__("the name or the password is not right")


class TooManyAttempts(AccountError):  # noqa: N818 - said as the person is told it
    """Too many wrong passwords for this name or from this address; ``retry_after`` seconds until the next may come."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many attempts, try again in {max(1, round(retry_after))} s")
        self.retry_after = retry_after


class PasswordRefusedError(AccountError):
    """The password does not keep the rules; the text says which."""


class NameRefusedError(AccountError):
    """The name cannot be one of a user or token; the text says why."""


class ExtensionRefusedError(AccountError):
    """The text cannot be anybody's extension."""


class NameTakenError(AccountError):
    """A user or token of that name is there already."""


class UnknownNameError(AccountError):
    """No user or token has that name."""


class PersonRefusedError(AccountError):
    """What is said of a person or a team cannot be; the text says why."""


class AddressTakenError(AccountError):
    """The e-mail address is another's."""


class OwnAccountError(AccountError):
    """Nobody takes their own role, or themselves, away: nobody might be left who could give it back."""
