"""``parley contacts import``, on a store of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon.__main__ import main
from daemon.stores.contacts import ContactRow, get_contact
from daemon.stores.database import Database


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "parley.toml"
    path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return str(path)


def stored(tmp_path: Path, number: str) -> ContactRow | None:
    async def get() -> ContactRow | None:
        database = Database.of(f"sqlite:///{tmp_path}/state/parley.db")
        async with database.read() as connection:
            found = await get_contact(connection, number)
        await database.close()
        return found

    return asyncio.run(get())


def test_a_file_is_imported_whole_and_again(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("number,name,등급\n010-1234-5678,홍길동,우수\n010-8765-4321,김,\n")
    assert main(["contacts", "import", str(file), "--config", config]) == 0
    assert "2 contacts were imported, 2 of them new; there are 2" in capsys.readouterr().out
    file.write_text("number,name\n+821012345678,홍길순\n15880000,대표\n")
    assert main(["contacts", "import", str(file), "--config", config]) == 0
    assert "2 contacts were imported, 1 of them new; there are 3" in capsys.readouterr().out
    assert stored(tmp_path, "01012345678") == ContactRow(number="01012345678", name="홍길순")


def test_a_file_with_a_mistake_changes_nothing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("number,name\n01012345678,홍길동\n")
    assert main(["contacts", "import", str(file), "--config", config]) == 0
    wrong = "".join(f"no number,{at}\n" for at in range(30))
    file.write_text(f"number,name\n01012345678,다른 이름\n{wrong}")
    assert main(["contacts", "import", str(file), "--config", config]) == 1
    error = capsys.readouterr().err
    assert "30 mistakes, nothing was imported" in error
    assert "line 3: a phone number has" in error
    assert "and 10 more" in error
    assert stored(tmp_path, "01012345678") == ContactRow(number="01012345678", name="홍길동")
    assert main(["contacts", "import", str(tmp_path / "none.csv"), "--config", config]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
