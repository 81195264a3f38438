"""Secret tokens, as a bearer and in an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.webhooks.signatures import Reason, SignatureRefusedError
from protocols.webhooks.tokens import BearerVerifier, TokenVerifier

TOKENS = ["first-token", "토큰"]


@pytest.mark.parametrize("token", TOKENS)
def test_each_token_is_known(token: str) -> None:
    TokenVerifier(TOKENS).verify_token(token)
    for text in (f"Bearer {token}", f"bearer  {token}", f"BEARER {token} "):
        BearerVerifier(TOKENS).verify({"authorization": text}, b"", now=0)


@given(st.none() | st.text() | st.text(st.characters(categories=["Cs"])))
def test_any_other_token_is_refused(token: str | None) -> None:
    with pytest.raises(SignatureRefusedError) as raised:
        TokenVerifier(TOKENS).verify_token(token)
    assert raised.value.reason is (Reason.TOKEN if token else Reason.MISSING)


@pytest.mark.parametrize("token", ["first-toke", "first-token ", "first-tokenn", "FIRST-TOKEN", "first-token\0"])
def test_a_token_that_is_nearly_right_is_wrong(token: str) -> None:
    with pytest.raises(SignatureRefusedError):
        TokenVerifier(TOKENS).verify_token(token)


@pytest.mark.parametrize("tokens", [[], [""], ["a", " "], "first-token"])
def test_a_token_that_anybody_could_guess_is_refused(tokens: list[str]) -> None:
    with pytest.raises(LocalError):
        TokenVerifier(tokens)
