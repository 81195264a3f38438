"""``parley people``, on a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.__main__ import main

FILE = (
    "이름,이메일,팀,팀장 이메일,역할,아이디\n"
    "김미나,mina@example.com,영업팀,lead@example.com,관리,mina\n"
    "박준,jun@example.com,영업팀,,,\n"
)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "parley.toml"
    path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return str(path)


def test_a_file_is_tried_imported_and_listed(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(FILE.encode("cp949"))
    assert main(["people", "import", str(file), "--dry-run", "--config", config]) == 0
    said = capsys.readouterr().out
    assert "note: it was read as CP949" in said
    assert "new team: 영업팀" in said
    assert "2 people would be imported, 2 of them new, 0 changed" in said
    assert main(["people", "list", "--config", config]) == 0
    assert capsys.readouterr().out == ""
    assert main(["people", "import", str(file), "--config", config]) == 0
    assert "2 people were imported, 2 of them new, 0 changed" in capsys.readouterr().out
    file.write_text("email,role\nmina@example.com,viewer\n")
    assert main(["people", "import", str(file), "--config", config]) == 0
    assert "mina is viewer now\n1 people were imported, 0 of them new, 1 changed" in capsys.readouterr().out
    assert main(["people", "list", "--config", config]) == 0
    jun, mina = capsys.readouterr().out.splitlines()
    assert jun.split(maxsplit=2) == ["jun@example.com", "viewer", "박준, jun@example.com, 영업팀, no password"]
    assert mina.split(maxsplit=2) == ["mina", "viewer", "김미나, mina@example.com, 영업팀, no password"]
    assert main(["user", "list", "--config", config]) == 0
    assert capsys.readouterr().out == "", "nobody of them signs in"


def test_a_file_with_a_mistake_changes_nothing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\njun@example.com\n" + "nobody\n" * 30)
    assert main(["people", "import", str(file), "--config", config]) == 1
    error = capsys.readouterr().err
    assert "30 mistakes, nothing was imported" in error
    assert "line 3: 이메일/email: an e-mail address has" in error
    assert "and 10 more" in error
    assert main(["people", "list", "--config", config]) == 0
    assert capsys.readouterr().out == ""
    assert main(["people", "import", str(tmp_path / "none.csv"), "--config", config]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
