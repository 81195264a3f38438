"""What a browser is told: the calls there are, what is said, and nothing twice or never."""

from __future__ import annotations

import msgspec

from daemon.calls.links import LinkState
from tests.web.conftest import Connect
from tests.web.house import CALLEE, CALLER, House


async def test_a_browser_is_told_all_calls_and_links_when_it_connects(house: House, connect: Connect) -> None:
    call = house.ring()
    house.link(LinkState.READY)
    browser = await connect()
    (calls,) = browser.payloads("calls")
    assert calls["epoch"] == "epoch-1"
    assert calls["now"] == house.now
    assert calls["keep_ended"] == house.config.calls.keep_ended
    assert [told["call_id"] for told in calls["calls"]] == [call.call_id]
    assert calls["calls"][0]["legs"][0]["leg_id"] == "leg-a"
    assert [(link["link"], link["state"]) for link in calls["links"]] == [("switch:main", "ready")]


async def test_changes_of_calls_and_links_are_told_to_everybody(house: House, connect: Connect) -> None:
    browsers = [await connect(), await connect()]
    call = house.ring()
    house.answer()
    house.link(LinkState.AWAY, detail="connection refused")
    for browser in browsers:
        await browser.until(lambda browser=browser: bool(browser.payloads("link")))  # type: ignore[misc]
        assert [(one["call"]["call_id"], one["call"]["state"]) for one in browser.payloads("call")] == [
            (call.call_id, "ringing"),
            (call.call_id, "active"),
        ]
        assert browser.payloads("link")[0]["detail"] == "connection refused"


async def test_what_is_said_is_told_to_those_who_watch_the_call(house: House, connect: Connect) -> None:
    call = house.ring("leg-a")
    house.ring("leg-b")
    watcher, other, everything = await connect(), await connect(), await connect()
    assert await watcher.watch(call.call_id) == {"ok": True, "epoch": "epoch-1"}
    await everything.watch("*")
    house.say("여보세요", "leg-a", final=False)
    house.say("여보세요 안녕하세요", "leg-a")
    house.say("다른 통화", "leg-b")
    await watcher.until_texts("여보세요 안녕하세요")
    await everything.until_texts("여보세요 안녕하세요", "다른 통화")
    interim, final = watcher.payloads("utterance")
    assert (interim["final"], interim["seq"], interim["text"]) == (False, 0, "여보세요")
    assert (final["final"], final["seq"], final["speaker"]) == (True, 1, "caller")
    assert interim["utterance_id"] == final["utterance_id"]
    await other.watch(call.call_id)
    await other.until_texts("여보세요 안녕하세요")
    assert len(other.payloads("utterance")) == 0


async def test_nothing_more_is_told_after_unwatch(house: House, connect: Connect) -> None:
    call = house.ring()
    browser = await connect()
    await browser.watch(call.call_id)
    house.say("하나")
    await browser.until_texts("하나")
    assert await browser.ask("unwatch", {"call_id": call.call_id}) == {"ok": True, "epoch": "epoch-1"}
    house.say("둘")
    house.hang_up()
    await browser.until(lambda: any(one["call"]["state"] == "ended" for one in browser.payloads("call")))
    assert browser.texts() == ["하나"]


async def test_a_new_watcher_gets_the_whole_and_what_is_being_said(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("하나")
    house.say("둘")
    house.say("세", final=False)
    browser = await connect()
    await browser.watch(call.call_id)
    house.say("셋")
    await browser.until_texts("하나", "둘", "셋")
    assert [name for name, _ in browser.heard[1:]] == ["reset", "utterance", "utterance"]
    assert browser.payloads("reset")[0]["epoch"] == "epoch-1"
    assert browser.payloads("utterance")[0]["text"] == "세"


async def test_after_a_break_the_same_epoch_gets_only_what_it_missed(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("하나")
    house.say("둘")
    house.say("셋")
    browser = await connect()
    await browser.watch(call.call_id, {call.call_id: 1}, "epoch-1")
    await browser.until_texts("둘", "셋")
    assert browser.payloads("reset") == []
    whole = await connect()
    await whole.watch("*", {call.call_id: 2}, "epoch-1")
    await whole.until_texts("셋")
    assert whole.payloads("reset") == []


async def test_another_epoch_gets_the_whole_whatever_its_seqs(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("하나")
    house.say("둘")
    browser = await connect()
    await browser.watch(call.call_id, {call.call_id: 99}, "epoch-0")
    await browser.until_texts("하나", "둘")
    whole = await connect()
    await whole.watch("*", {call.call_id: 99}, "epoch-0")
    await whole.until_texts("하나", "둘")
    assert [reset["call_id"] for reset in whole.payloads("reset")] == ["*"]


async def test_numbers_are_masked_for_those_who_may_not_see_them(house: House, connect: Connect) -> None:
    house.ring()
    viewer, operator = await connect("viewer"), await connect("operator")
    house.answer()
    for browser, caller in ((viewer, "010****5678"), (operator, CALLER)):
        await browser.until(lambda browser=browser: bool(browser.payloads("call")))  # type: ignore[misc]
        for call in (browser.payloads("calls")[0]["calls"][0], browser.payloads("call")[0]["call"]):
            assert call["caller"] == call["legs"][0]["caller"] == caller
            assert call["caller_name"] == f"홍길동 {caller}"
            assert call["did"] == CALLEE
    assert CALLER not in str(viewer.heard)


async def test_a_call_that_left_memory_is_read_from_the_store(house: House, connect: Connect) -> None:
    call = house.ring()
    house.hang_up()
    await house.store(call, ["하나", "둘"])
    house.now += 1_000
    house.registry.sweep()
    browser = await connect("viewer")
    assert await browser.watch(call.call_id) == {"ok": True, "epoch": "epoch-1"}
    assert browser.texts() == ["하나", "둘"]
    assert [name for name, _ in browser.heard[1:]] == ["call", "reset"]
    assert browser.payloads("call")[0]["call"]["caller"] == "010****5678"
    await browser.watch(call.call_id, {call.call_id: 1}, "epoch-1")
    assert browser.payloads("utterance")[-1]["text"] == "둘"


async def test_a_call_that_nobody_knows_is_an_error(connect: Connect) -> None:
    browser = await connect()
    answer = await browser.watch("01998000-0000-7000-8000-000000000000")
    assert answer["error"]["title"] == "No such call"


async def test_what_is_not_understood_is_an_error_and_no_end(connect: Connect) -> None:
    browser = await connect()
    for wish in ({}, {"call_id": 7}, {"call_id": ""}, "x", None, {"call_id": "*", "after": {"a": -1}}):
        assert (await browser.ask("watch", wish))["error"]["title"] == "Not understood"
    assert (await browser.ask("unwatch", 3))["error"]["title"] == "Not understood"
    assert (await browser.watch("*"))["ok"]


async def test_a_restart_gives_a_new_epoch_and_nothing_is_lost_or_doubled(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("하나")
    house.say("둘")
    browser = await connect()
    await browser.watch(call.call_id)
    await browser.until_texts("하나", "둘")
    await house.store(call, ["하나", "둘"])
    await house.servers[-1].close()
    await browser.until(lambda: browser.gone)
    stored = house.transcripts.finals(call.call_id)
    house.restart("epoch-2")
    house.registry.adopt({"leg-a": call.call_id}, "freeswitch", "main")
    house.transcripts.adopt(call.call_id, stored)
    assert house.ring().call_id == call.call_id
    house.say("셋")
    await house.serve()
    again = await connect()
    again.heard[:0] = [event for event in browser.heard if event[0] != "calls"]
    assert again.payloads("calls")[0]["epoch"] == "epoch-2"
    await again.watch(call.call_id, {call.call_id: 2}, "epoch-1")
    await again.until_texts("하나", "둘", "셋")


async def test_who_watches_before_a_call_is_found_again_is_told_the_whole(house: House, connect: Connect) -> None:
    """After a restart browsers are back before the switch has shown its calls."""
    call = house.ring()
    house.say("하나")
    house.say("둘")
    await house.store(call, ["하나"])  # the rest is still on its way to the store
    stored = house.transcripts.finals(call.call_id)
    house.restart("epoch-2")
    named, everything = await connect(), await connect()
    await named.watch(call.call_id, {call.call_id: 2}, "epoch-1")
    await everything.watch("*", {call.call_id: 2}, "epoch-1")
    assert named.texts() == ["하나"]
    assert everything.texts() == []
    house.registry.adopt({"leg-a": call.call_id}, "freeswitch", "main")
    house.transcripts.adopt(call.call_id, stored)
    house.ring()
    house.say("셋")
    for browser in (named, everything):
        await browser.until_texts("하나", "둘", "셋")


async def test_a_call_found_again_under_its_stored_id_is_told_anew(house: House, connect: Connect) -> None:
    call = house.ring()
    house.say("셋")
    fresh = call.call_id
    named, everything = await connect(), await connect()
    await named.watch(fresh)
    await everything.watch("*")
    (heard,) = house.transcripts.finals(fresh)
    stored = [
        msgspec.structs.replace(heard, call_id="stored-id", seq=seq, text=text)
        for seq, text in enumerate(("하나", "둘"), 1)
    ]
    house.registry.rekey(fresh, "stored-id")
    house.transcripts.rekey(fresh, "stored-id", stored)
    house.say("넷")
    for browser in (named, everything):
        await browser.until_texts("하나", "둘", "셋", "넷")
        assert browser.payloads("reset")[-1]["epoch"] == house.transcripts.epoch != "epoch-1"
        gone = [one["call"] for one in browser.payloads("call") if one["call"]["call_id"] == fresh][-1]
        assert (gone["state"], gone["merged_into"]) == ("ended", "stored-id")
    assert [one["seq"] for one in named.payloads("reset")[-1]["utterances"]] == [1, 2, 3]
