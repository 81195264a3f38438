"""Headers as they are stored."""

import json

import pytest
from aiohttp import hdrs
from multidict import CIMultiDict

from daemon.inbox.headers import MASK, storable_headers


def test_all_of_them_in_order() -> None:
    headers = [("X-One", "1"), ("x-one", "2"), ("X-GitHub-Event", "push")]

    assert json.loads(storable_headers(headers)) == [list(pair) for pair in headers]


def test_names_as_the_server_hands_them_over() -> None:
    headers = CIMultiDict({hdrs.ACCEPT: "*/*", hdrs.CONTENT_TYPE: "application/json"})

    assert json.loads(storable_headers(list(headers.items()))) == [
        ["Accept", "*/*"],
        ["Content-Type", "application/json"],
    ]


def test_without_what_lets_somebody_in() -> None:
    headers = [("Authorization", "Bearer 1"), ("X-Api-Key", "1"), ("X-Gitlab-Token", "1"), ("X-Hub-Signature", "1")]

    assert [value for _, value in json.loads(storable_headers(headers))] == [MASK, MASK, MASK, "1"]


@pytest.mark.parametrize(
    "name",
    ["X-Api_Key", "X-Auth", "X-Auth-Key", "X-Access-Key", "X-Amz-Credential", "X-Original-URI", "X-Original-URL",
     "X-Forwarded-Uri", "X-Rewrite-Url", "Referer", "Proxy-Authorization", "Set-Cookie"],
)  # fmt: skip
def test_other_names_of_what_lets_somebody_in(name: str) -> None:
    assert json.loads(storable_headers([(name, "1")])) == [[name, MASK]]


def test_the_token_of_the_address_is_nowhere() -> None:
    headers = [("X-Asked", "/hook?token=s%2Fcret"), ("X-Line", "GET /hook?token=s/cret"), ("X-Author", "s")]

    assert [value for _, value in json.loads(storable_headers(headers, url_token="s/cret"))] == [MASK, MASK, "s"]


def test_what_is_no_text_is_replaced() -> None:
    headers = [("X-Name", b"caf\xe9".decode("utf-8", "surrogateescape")), ("X-Nul", "a\0b"), ("X-Korean", "환불")]

    assert json.loads(storable_headers(headers)) == [["X-Name", "caf�"], ["X-Nul", "a�b"], ["X-Korean", "환불"]]
