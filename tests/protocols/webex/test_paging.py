from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webex.paging import next_page

API = "https://webexapis.com/v1"
NEXT = "https://webexapis.com/v1/webhooks?max=2&cursor=abc"


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>;rel="prefetch next"',
        f'<https://webexapis.com/v1/webhooks>; rel="first", <{NEXT}>; title="a, b"; rel="next"',
    ],
)
def test_the_next_page_is_named(header: str) -> None:
    assert next_page([header], API) == NEXT
    assert next_page(['<https://webexapis.com/v1/x>; rel="prev"', header], f"{API}/") == NEXT


@pytest.mark.parametrize(
    "header",
    [
        "",
        "next",
        f'<{NEXT}>; rel="prev"',
        f'<{NEXT}>; rel="nextish"',
        f'<{NEXT}>; title="rel=next"',
        # Where the bot's token must not go.
        '<https://example.com/v1/webhooks?cursor=abc>; rel="next"',
        '<http://webexapis.com/v1/webhooks?cursor=abc>; rel="next"',
        '<https://webexapis.com@example.com/v1/webhooks>; rel="next"',
        '<https://webexapis.com/v2/webhooks>; rel="next"',
        '<https://webexapis.com/v1/../other>; rel="next"',
        '</v1/webhooks>; rel="next"',
        '<https://[/v1/webhooks>; rel="next"',
    ],
)
def test_anything_else_ends_the_list(header: str) -> None:
    assert next_page([header], API) is None


@given(st.lists(st.text() | st.text(st.sampled_from('<>;=", rel nxthps:/'))))
def test_what_is_named_lies_below_the_api(headers: list[str]) -> None:
    found = next_page(headers, API)
    assert found is None or found.startswith(f"{API}/")
