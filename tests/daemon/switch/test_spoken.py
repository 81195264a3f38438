"""What an application's argument says."""

from __future__ import annotations

import pytest

from daemon.switch.spoken import separated, spoken


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("안녕하세요", "안녕하세요"),
        ("tts|ko|안녕하세요, 무엇을 도와드릴까요?", "안녕하세요, 무엇을 도와드릴까요?"),
        ("ko|안녕하세요", "안녕하세요"),
        ("tts|ko|하나|둘|셋", "하나|둘|셋"),
        ("tts|ko|  hello \n", "hello"),
        ("||no engine, no voice", "no engine, no voice"),
    ],
)
def test_speak(data: str, text: str) -> None:
    assert spoken("speak", data) == (text, "speak")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("/srv/freeswitch/sounds/hello.wav", "hello.wav"),
        ("hello.wav", "hello.wav"),
        ("{loops=3}/srv/sounds/인사.wav", "인사.wav"),
        ("{a=b}{c=d}/srv/sounds/one.wav", "one.wav"),
        ("/srv/sounds/long.wav@@8000", "long.wav"),
        ("https://host.example/prompts/hello.wav?token=s3cret/and/more", "hello.wav"),
        ("file_string:///srv/a.wav!/srv/b.wav", "a.wav, b.wav"),
        ("{never closed", "{never closed"),
    ],
)
def test_playback_shows_the_base_name_only(data: str, text: str) -> None:
    assert spoken("playback", data) == (text, "playback")


@pytest.mark.parametrize(
    "data",
    ["tone_stream://%(10000,0,440);loops=-1", "silence_stream://2000", "", "   ", "/", "file_string://", "say: "],
)
def test_tones_silence_and_nothing_say_nothing(data: str) -> None:
    assert spoken("playback", data) is None
    assert spoken("speak", "tts|ko| ") is None


@pytest.mark.parametrize("data", ["say:flite:kal:Good morning: you", "{x=1}say:flite:kal:Good morning: you"])
def test_playback_of_words_is_speech(data: str) -> None:
    assert spoken("playback", data) == ("Good morning: you", "speak")
    assert spoken("playback", "say:Good morning") == ("Good morning", "speak")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (r"1 4 3 5000 # /srv/sounds/menu.wav /srv/sounds/wrong.wav choice \d+", "menu.wav"),
        (r"1  4  3  5000  #  /srv/sounds/menu.wav", "menu.wav"),
        (r"1 4 3 5000 # '/srv/our sounds/menu.wav' /srv/wrong.wav", "menu.wav"),
        (r"1 4 3 5000 # /srv/our\ sounds/the\ menu.wav /srv/wrong.wav", "the menu.wav"),
        (r"^^:1:4:3:5000:#:/srv/sounds/menu.wav:/srv/wrong.wav", "menu.wav"),
    ],
)
def test_play_and_get_digits_shows_its_prompt(data: str, text: str) -> None:
    assert spoken("play_and_get_digits", data) == (text, "playback")


def test_too_few_arguments_say_nothing() -> None:
    assert spoken("play_and_get_digits", "1 4 3 5000 #") is None
    assert spoken("play_and_get_digits", "1 4 3 5000 # tone_stream://%(100,0,440)") is None


def test_other_applications_say_nothing() -> None:
    assert spoken("set", "code=dev-app") is None
    assert spoken("bridge", "loopback/9197/public") is None
    assert spoken("", "hello.wav") is None


def test_separated_keeps_empty_arguments_of_a_chosen_separator() -> None:
    assert separated("^^|a||b|") == ["a", "", "b", ""]
    assert separated("  a   b ") == ["a", "b"]
    assert separated("") == []
