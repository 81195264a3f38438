"""A call that opted out: nothing that is not to be kept stays in its body, and everything else stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.voxai_redaction import redact
from tests.protocols.webhooks.voxai_samples import ENDED, METADATA, v1_ended, v2_ended

SENSITIVE = ["transcript", "transcript_with_tool_calls", "call_analysis", "dynamic_variables", "recording_url"]
FLAG = "opt_out_sensitive_data_storage"
MARK = "비밀마커-secret-marker"


@pytest.mark.parametrize("opt_out", [True, "true", "TRUE", " True ", 1, 1.0, "1", "yes"])
@pytest.mark.parametrize("ended", [v1_ended, v2_ended])
def test_what_is_not_to_be_kept_is_gone(opt_out: Any, ended: Any) -> None:
    body = ended(opt_out)
    kept, opted_out = redact(body)
    assert opted_out
    before, after = json.loads(body)["call"], json.loads(kept)["call"]
    assert after == {key: value for key, value in before.items() if key not in SENSITIVE}
    assert after["metadata"] == METADATA
    assert b'"call_cost": {"total": 12.5}' in kept


@pytest.mark.parametrize("opt_out", [False, None, 0, "", "false", "no", "0", 2, [], {}, [True], {"a": True}])
@pytest.mark.parametrize("ended", [v1_ended, v2_ended])
def test_a_call_that_did_not_opt_out_is_left_as_it_is(opt_out: Any, ended: Any) -> None:
    body = ended(opt_out)
    assert redact(body) == (body, False)


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"\0\xff", b"[" * 100_000, b'{"opt_out_sensitive_data_storage": false} x', b'{"\\u0041": 1} x',
     b'{"note": "opt_out_sensitive_data_storage"}', b"[true]"],
)  # fmt: skip
def test_what_says_nothing_or_cannot_be_read_is_left_as_it_is(body: bytes) -> None:
    assert redact(body) == (body, False)


@pytest.mark.parametrize(
    "body",
    [b'{"%s": true, "transcript": "x"} x', b'{"call": {"%s": true, "transcript": [',
     b'{"transcript": "x"} {"%s": "yes"}', b"{'%s': 1}", b"call.%s=true&transcript=x"],
)  # fmt: skip
@pytest.mark.parametrize("flag", [FLAG.encode(), FLAG.encode().replace(b"_", b"\\u005F", 1)])
def test_of_what_has_the_flag_and_cannot_be_read_nothing_is_kept(body: bytes, flag: bytes) -> None:
    assert redact(body.replace(b"%s", flag)) == (b"", True)


def test_the_flag_is_seen_wherever_it_stands() -> None:
    inner = {"transcript": MARK, "call_id": "c-1"}
    for document in (
        {FLAG: True, "call": inner},
        {"call": {**inner, "agent": {FLAG: True}}},
        {"call": inner, "data": [{"options": [{FLAG: "true"}]}]},
        {"transcript": MARK, "sms": {FLAG: 1}},
        [{"call": inner}, {FLAG: True}],
    ):
        kept, opted_out = redact(json.dumps(document).encode())
        assert opted_out
        assert MARK not in json.dumps(json.loads(kept), ensure_ascii=False)


def test_what_makes_a_reader_stumble_does_not_keep_a_secret() -> None:
    secret = json.dumps(MARK, ensure_ascii=False).encode()
    for body in (
        b'{"%s": true, "x": "\\ud800", "transcript": %s}',
        b'{"%s": true, "x": "\xff\0", "transcript": %s}',
        b'{"%s": true, "x": NaN, "transcript": %s}',
        b'\xef\xbb\xbf{"%s": true, "x": ' + b"9" * 9000 + b', "transcript": %s}',
        b'{"%s": true, "\\u0074ranscript": %s, "x": ' + b"[" * 9000 + b"]" * 9000 + b"}",
        b'{"%s": true, "%s": false, "transcript": 1, "transcript": %%s, "x": 1}'.replace(b"%s", FLAG.encode(), 1),
    ):
        flag = FLAG.replace("_", "\\u005f", 1).encode()
        kept, opted_out = redact(body.replace(b"%%s", b"%s").replace(b"%s", flag, 1).replace(b"%s", secret))
        assert opted_out
        assert secret not in kept
        assert b'"x"' in kept


@pytest.mark.parametrize(
    "name",
    ["transcript", "Transcript", "transcripts", "transcript_object", "full_transcript", "transcript_with_tool_calls",
     "tool_calls", "call_analysis", "analysis", "custom_analysis_data", "summary", "call_summary", "user_sentiment",
     "dynamic_variables", "retell_llm_dynamic_variables", "recording", "recording_url", "recording_urls",
     "multichannel_recording_url", "recording_link",
     "recording_multi_channel_url"],
)  # fmt: skip
def test_other_names_of_the_same_are_gone_too(name: str) -> None:
    kept, _ = redact(json.dumps({FLAG: True, "call": {name: [{"x": MARK}], "call_id": "c-1"}}).encode())
    assert json.loads(kept) == {FLAG: True, "call": {"call_id": "c-1"}}


@pytest.mark.parametrize(
    "name",
    ["call_id", "call_type", "call_cost", "agent", "metadata", "duration_ms", "disconnection_reason", "record_count",
     "recording_enabled", "transcriber", "summary_enabled", "end_at", FLAG],
)  # fmt: skip
def test_other_names_stay(name: str) -> None:
    body = json.dumps({"x": {FLAG: True}, "call": {name: "kept", "transcript": MARK}}).encode()
    assert json.loads(redact(body)[0])["call"] == {name: "kept"}


def test_metadata_is_the_customers_own() -> None:
    body = json.dumps({FLAG: True, "metadata": {"summary": "mine", "list": [{"transcript": 1}]}}).encode()
    assert redact(body) == (body, True)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "call_cost"]), inner, max_size=3)
    ),
    max_leaves=8,
)
secrets = st.recursive(
    st.just(MARK),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "metadata", "transcript", "role"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    plain=st.dictionaries(st.sampled_from(["call_id", "call_cost", "agent", "start_at", "metadata"]), values),
    sensitive=st.dictionaries(st.sampled_from(SENSITIVE), secrets),
    where=st.sampled_from(["call", "sms", "other"]),
    ensure_ascii=st.booleans(),
    indent=st.none() | st.integers(0, 3),
    data=st.data(),
)
def test_no_secret_stays_and_nothing_else_goes(
    plain: dict[str, Any],
    sensitive: dict[str, Any],
    where: str,
    ensure_ascii: bool,
    indent: int | None,
    data: st.DataObject,
) -> None:
    order = data.draw(st.permutations([*plain, *sensitive, FLAG]))
    inner = {name: ({FLAG: True} | plain | sensitive)[name] for name in order}
    body = json.dumps({"event": "call_ended", where: inner}, ensure_ascii=ensure_ascii, indent=indent).encode()
    kept, opted_out = redact(body)
    assert opted_out
    assert MARK not in kept.decode()
    assert json.dumps(MARK)[1:-1] not in kept.decode()
    # Dictionaries are compared in their order too.
    expected = {name: inner[name] for name in order if name not in sensitive}
    assert json.dumps(json.loads(kept)) == json.dumps({"event": "call_ended", where: expected})
    # Values are the bytes that they were, and a second time there is nothing left to do.
    for value in expected.values():
        if indent is None:
            assert json.dumps(value, ensure_ascii=ensure_ascii).encode() in kept
    assert redact(kept) == (kept, True)


@given(st.binary(max_size=80))
def test_any_bytes_come_back(body: bytes) -> None:
    kept, opted_out = redact(body)
    assert kept == body or opted_out


def test_the_samples_have_what_is_looked_for() -> None:
    assert set(SENSITIVE) - {"dynamic_variables"} <= ENDED.keys()


def test_a_flag_said_twice_counts_if_either_says_yes() -> None:
    for one, other in (("true", "false"), ("false", "true")):
        body = f'{{"{FLAG}": {one}, "{FLAG}" :\n{other}, "transcript": 1}}'.encode()
        assert redact(body)[1]
        assert b"transcript" not in redact(body)[0]


def test_a_call_that_is_known_to_have_opted_out_needs_not_say_so_again() -> None:
    body = (
        b'{"event":"call_analyzed","call":{"call_id":"c","call_analysis":{"summary":"x"},"metadata":{"summary":"y"}}}'
    )
    assert redact(body) == (body, False)
    kept = b'{"event":"call_analyzed","call":{"call_id":"c","metadata":{"summary":"y"}}}'
    assert redact(body, opted_out=True) == (kept, True)
    assert redact(b"no JSON", opted_out=True) == (b"", True)
