"""``parley survey list|export``, on a store of its own."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest

from daemon.__main__ import main
from daemon.stores.calls import save_calls
from daemon.stores.database import Database
from daemon.stores.survey_responses import SurveyAnswerRow, SurveyResponseRow, save_survey_response
from tests.daemon.stores.rows import call_row


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "parley.toml"
    path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return str(path)


async def fill(folder: Path) -> None:
    database = Database.of(f"sqlite:///{folder}/state/parley.db")
    async with database.transaction() as connection:
        await save_calls(connection, [call_row("a"), call_row("b")])
        for call_id, begun_at, completed_at, words in (
            ("a", 1_700_000_000.0, 1_700_000_060.0, "=1+1"),
            ("b", 5.0, None, ""),
        ):
            row = SurveyResponseRow(call_id=call_id, survey="service", begun_at=begun_at, completed_at=completed_at)
            answers = [
                SurveyAnswerRow(
                    call_id=call_id, survey="service", question=question, position=at, answer=said, answered_at=6.0
                )
                for at, (question, said) in enumerate((("mark", "5"), ("words", words)))
                if said
            ]
            await save_survey_response(connection, row, answers)
    await database.close()


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_answers_are_written_as_csv(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "list", "--config", config]) == 0
    assert capsys.readouterr().out == ""
    asyncio.run(fill(tmp_path))
    assert main(["survey", "list", "--config", config]) == 0
    assert capsys.readouterr().out == "service  2 asked, 1 to the end\n"
    assert main(["survey", "export", "service", "--config", config]) == 0
    header = ["call_id", "begun_at", "completed", "caller", "did", "mark", "words"]
    assert rows(capsys.readouterr().out) == [
        header,
        ["b", "1970-01-01T00:00:05+00:00", "no", "010****5678", "0212345678", "5", ""],
        ["a", "2023-11-14T22:13:20+00:00", "yes", "010****5678", "0212345678", "5", "'=1+1"],
    ]
    file = tmp_path / "answers.csv"
    arguments = ["--since", "2023-01-01", "--whole-numbers", "--output", str(file)]
    assert main(["survey", "export", "service", *arguments, "--config", config]) == 0
    assert capsys.readouterr().out == f"1 responses were written to {file}\n"
    written = rows(file.read_bytes().decode())
    assert [row[3] for row in written] == ["caller", "01012345678"]


def test_what_cannot_be_exported(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "export", "service", "--config", config]) == 1
    assert 'nobody was ever asked a survey called "service"' in capsys.readouterr().err
    asyncio.run(fill(tmp_path))
    nowhere = str(tmp_path / "nowhere" / "x.csv")
    assert main(["survey", "export", "service", "--output", nowhere, "--config", config]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
