"""``parley directory load|search|reindex``, on a store of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.__main__ import main
from tests.daemon.directory.conftest import EXAMPLES

ENTRIES = str(EXAMPLES / "entries.json")


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "parley.toml"
    state = f'[service]\nstate_dir = "{tmp_path}/state"\n'
    path.write_text(f'{state}[directory]\nsynonyms = "{EXAMPLES / "synonyms.txt"}"\n')
    return str(path)


def test_what_is_loaded_is_found(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["directory", "load", ENTRIES, "--config", config]) == 0
    assert "79 entries were loaded; there are 79" in capsys.readouterr().out
    assert main(["directory", "search", "비번", "초기하", "--config", config]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.endswith("service  비밀번호 초기화  IT01  전산지원팀  ****01")
    assert main(["directory", "search", "ㅎㄱㄷ", "--limit", "1", "--json", "--config", config]) == 0
    [match] = json.loads(capsys.readouterr().out)
    assert match["entry"]["name"] == "홍길동"
    assert match["entry"]["number"] == "2001"
    assert 0.8 < match["score"] <= 1
    assert main(["directory", "search", "홍길동", "--threshold", "1.1", "--config", config]) == 0
    assert "nothing was found" in capsys.readouterr().out
    assert main(["directory", "reindex", "--config", config]) == 0
    assert "79 entries will be indexed again" in capsys.readouterr().out


def test_a_file_that_is_all_there_is_removes_the_rest(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["directory", "load", ENTRIES, "--config", config]) == 0
    services = str(EXAMPLES / "services.json")
    assert main(["directory", "load", services, "--config", config]) == 0
    assert "3 entries were loaded; there are 79" in capsys.readouterr().out
    assert main(["directory", "load", services, "--all", "--config", config]) == 0
    assert "3 entries were loaded; there are 3" in capsys.readouterr().out
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    assert main(["directory", "load", str(empty), "--all", "--config", config]) == 1
    assert "nothing would be left" in capsys.readouterr().err


def test_a_file_with_a_mistake_changes_nothing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "entries.json"
    file.write_text(json.dumps([{"name": "인사팀"}, *[{"nam": "x"}] * 30]))
    assert main(["directory", "load", str(file), "--config", config]) == 1
    error = capsys.readouterr().err
    assert "30 mistakes, nothing was loaded" in error
    assert 'row 2: there is no field "nam"; did you mean "name"?' in error
    assert "and 10 more" in error
    assert main(["directory", "search", "인사팀", "--config", config]) == 0
    assert "nothing was found" in capsys.readouterr().out
    assert main(["directory", "load", str(tmp_path / "none.json"), "--config", config]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert main(["directory", "search", "인사팀", "--limit", "0", "--config", config]) == 1


def test_check_says_every_bad_line_of_the_synonyms(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", config]) == 0
    bad = tmp_path / "bad.txt"
    bad.write_text("가, 나\n가 => 나 => 다\n가,,나\n")
    for synonyms in (str(bad), f"{tmp_path}/none.txt", "synonyms.txt"):
        Path(config).write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n[directory]\nsynonyms = "{synonyms}"\n')
        assert main(["check", "--config", config]) == 78
    said = capsys.readouterr().err
    assert f"line 4: directory.synonyms: {bad}, line 2: there are two arrows in it" in said
    assert f"line 4: directory.synonyms: {bad}, line 3: there is nothing before" in said
    assert 'none.txt" cannot be read (No such file' in said
    assert 'directory.synonyms: "synonyms.txt" is not a whole path' in said
