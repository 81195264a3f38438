import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.__main__ import main
from daemon.config_file import load
from daemon.places import socket_path, writing_obstacle, writing_problem

Configure = Callable[[str], str]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Writes a configuration whose state lies in the test's own folder; returns the file's path."""
    monkeypatch.setenv("PARLEY_SWITCH_MAIN_PASSWORD", "example")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def write(more: str = "") -> str:
        path = tmp_path / "parley.toml"
        path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n{more}')
        return str(path)

    return write


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as ended:
            main([option])
        assert ended.value.code == 0
    output = capsys.readouterr().out
    assert output.startswith("parley 0.")
    for word in ("demo", "run", "check", "db", "user", "token", "config", "78"):
        assert word in output


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["user"], ["user", "add"], ["user", "add", "a", "--role", "king"]]
)
def test_wrong_command_line_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: parley" in capsys.readouterr().err


def test_check_is_content_with_a_right_configuration(
    configure: Configure, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.socket() as switch, socket.socket() as taken:
        switch.bind(("127.0.0.1", 0))
        switch.listen()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = configure(
            f"[[switch]]\nport = {switch.getsockname()[1]}\n[[web.listener]]\nport = {taken.getsockname()[1]}\n"
        )
        assert main(["check", "--config", path]) == 0
        assert main(["--config", path, "check"]) == 0
    output = capsys.readouterr().out
    assert f"{path} is right" in output
    assert "switch main" not in output
    assert "cannot be had now" in output
    assert not (tmp_path / "state").exists(), "looking makes nothing"


def test_check_finds_the_credentials_beside_the_file(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configure("[[switch]]\n")
    monkeypatch.delenv("PARLEY_SWITCH_MAIN_PASSWORD")
    assert main(["check", "--config", path]) == 78
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "switch-main-password").write_text("a good one\n")
    assert main(["check", "--config", path]) == 0
    (tmp_path / "given").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    assert main(["check", "--config", path]) == 78, "within the service only what systemd gave counts"
    assert "a good one" not in "".join(capsys.readouterr())


def test_check_judges_folders_for_the_user_of_the_service(configure: Configure, tmp_path: Path) -> None:
    """As root; anybody else can only judge for themselves."""
    path = configure(f'[recorder]\nspool_dir = "{tmp_path}/elsewhere/spool"\n')
    (tmp_path / "state").mkdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    assert main(["check", "--config", path]) == 0
    other = 65534
    if os.geteuid() == 0:
        os.chown(tmp_path / "state", other, other)
        assert main(["check", "--config", path]) == 78
        os.chown(tmp_path / "elsewhere", other, other)
        assert main(["check", "--config", path]) == 0
    assert writing_obstacle(tmp_path / "elsewhere" / "spool", 65533) is not None
    assert not (tmp_path / "elsewhere" / "spool").exists()


def test_check_only_notes_peers_that_are_away(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        path = configure(
            f'[[switch]]\nport = {port}\n[database]\nurl = "postgresql://u@127.0.0.1:{port}/d"\n[[web.listener]]\nport=0\n'
        )
        assert main(["check", "--config", path]) == 0
    output = capsys.readouterr().out
    assert f"note: switch main does not answer at 127.0.0.1 port {port} (Connection refused)" in output
    assert "note: the database is away" in output


def test_check_reports_every_mistake_at_once_and_exits_78(
    configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("in the way")
    path = configure('[[switch]]\nname = "other"\nprot = 1\n[log]\nlevel = 3\n')
    assert main(["check", "--config", path]) == 78
    errors = capsys.readouterr().err
    assert f"{path}: 4 mistakes" in errors
    assert "line 2: service.state_dir: nothing can be written in" in errors
    assert "line 4: switch[0].name: the secret switch-other-password is missing" in errors
    assert 'line 5: switch[0].prot: there is no such key; did you mean "port"?' in errors
    assert "line 7: log.level: 3 does not fit" in errors


@pytest.mark.parametrize("verb", ["check", "run"])
def test_wrong_configuration_exits_78_as_a_process(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "parley.toml"
    path.write_text("[log]\nlevle = 1\n")
    command = [sys.executable, "-m", "daemon", verb, "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert 'line 2: log.levle: there is no such key; did you mean "level"?' in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_file_exits_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(tmp_path / "none.toml")]) == 78
    assert "name another file with --config FILE" in capsys.readouterr().err


def test_users_come_and_go(
    configure: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configure("[[switch]]\nname = 'elsewhere'\n")  # its password is not here, and is not needed
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["user", "add", "kim", "--role", "operator", "--password-stdin", "--config", path]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["user", "add", "kim", "--password-stdin", "--config", path]) == 1
    assert main(["user", "role", "kim", "admin", "--config", path]) == 0
    assert main(["user", "extension", "kim", "2002", "--config", path]) == 0
    assert main(["user", "list", "--config", path]) == 0
    assert main(["user", "extension", "kim", "20 02", "--config", path]) == 1
    assert main(["user", "extension", "nobody", "2002", "--config", path]) == 1
    assert main(["user", "remove", "kim", "--config", path]) == 0
    assert main(["user", "remove", "kim", "--config", path]) == 1
    out, errors = capsys.readouterr()
    assert "kim                      admin    since 20" in out
    assert ", at 2002\n" in out
    assert "parley: there is a user kim already" in errors
    assert "parley: there is no user kim" in errors


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["a good long password"] * 2, 0, ""),
        (["a good long password", "another"], 1, "not the same"),
        (["short", "short"], 1, "at least"),
        (["", ""], 1, "empty"),
    ],
)
def test_password_is_asked_for_twice(
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: list[str],
    code: int,
    said: str,
) -> None:
    answers = iter(typed)
    monkeypatch.setattr("daemon.commands.configured.getpass", lambda _prompt: next(answers))
    assert main(["user", "add", "lee", "--config", configure("")]) == code
    assert said in capsys.readouterr().err


def test_tokens_are_shown_once(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    path = configure("")
    assert main(["token", "new", "wallboard", "--config", path]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("parley_")
    assert main(["token", "list", "--config", path]) == 0
    listed = capsys.readouterr().out
    assert "wallboard                viewer   last used never" in listed
    assert token not in listed
    assert main(["token", "revoke", "wallboard", "--config", path]) == 0
    assert main(["token", "revoke", "wallboard", "--config", path]) == 1


def test_database_that_is_away_is_said_without_a_traceback(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        path = configure(f'[database]\nurl = "postgresql://u@127.0.0.1:{nobody.getsockname()[1]}/d"\n')
        assert main(["db", "upgrade", "--config", path]) == 1
    assert "parley: the database is not there for it" in capsys.readouterr().err


def test_db_upgrade_makes_the_tables(configure: Configure, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = configure("")
    assert main(["db", "upgrade", "--config", path]) == 0
    assert main(["db", "upgrade", "--config", path]) == 0
    assert "is up to date" in capsys.readouterr().out
    assert (tmp_path / "state" / "parley.db").stat().st_size > 0


def test_config_import_writes_and_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text("SERVER_PORT=9000\nSERVER_WORKER=4\nODD=1\nDB_NAME=d\nDB_PASSWROD=pw\n")
    assert main(["config", "import", str(tmp_path / ".env"), "--out", str(tmp_path / "new")]) == 0
    output = capsys.readouterr().out
    assert f"wrote {tmp_path}/new/credentials/database-password" in output
    assert "note: ODD is no name that Parley knows" in output
    assert "note: SERVER_WORKER is not used yet; kept" in output
    assert load(tmp_path / "new" / "parley.toml", None).web.listener[0].port == 9000
    assert main(["config", "import", str(tmp_path / ".env"), "--out", str(tmp_path / "new")]) == 1
    assert "already there" in capsys.readouterr().err
    assert main(["config", "import", str(tmp_path / "none.env")]) == 1


def test_config_import_of_something_that_cannot_work_exits_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://u:pw@h/d\n")
    assert main(["config", "import", str(tmp_path / ".env"), "--out", str(tmp_path)]) == 78
    errors = capsys.readouterr().err
    assert "database.url" in errors
    assert "pw" not in errors


def test_root_makes_no_files_in_another_users_state(configure: Configure, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        assert writing_problem(Path("/proc/parley")) is not None  # nothing but root can give files away
        return
    path = configure("")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    assert main(["db", "upgrade", "--config", path]) == 1
    assert list(state.iterdir()) == []


def test_socket_lies_in_the_runtime_directory_or_with_the_state(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("")
    config = load(tmp_path / "parley.toml", None)
    assert socket_path(config, {"RUNTIME_DIRECTORY": "/run/parley"}) == Path("/run/parley/parley.sock")
    assert socket_path(config, {}) == Path("/var/lib/parley/parley.sock")
