"""The rules of the house that no other tool holds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import daemon
import protocols
import web
from daemon.__main__ import main

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked_files() -> list[Path]:
    """What belongs to the project, by its version control; in an export without one, everything that is no product."""
    if (ROOT / ".git").exists():
        names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    products = {".venv", ".venv-bench", "node_modules", "static", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not products & set(path.parts)]


def make_rules() -> dict[str, str]:
    """The Makefile's targets and their recipes."""
    rules: dict[str, str] = {}
    target = ""
    for row in (ROOT / "Makefile").read_text().splitlines():
        found = re.match(r"([a-z][a-z-]*):(?!=)(?! export)(.*)", row)
        if found:
            target = found[1]
            rules[target] = found[2] + "\n"
        elif row.startswith("\t") and target:
            rules[target] += row.strip() + "\n"
        elif row.strip():
            target = ""
    return rules


@pytest.mark.parametrize("package", [protocols, daemon, web])
def test_packages_are_those_of_this_checkout(package: object) -> None:
    assert Path(str(getattr(package, "__file__", ""))).is_relative_to(ROOT)


def test_imports_go_one_way() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    assert "0 broken" in run(str(lint_imports), "--no-cache")


def test_locks_hold_every_package_by_version_and_hash() -> None:
    assert {lock.name for lock in LOCKS} == {"bench.lock", "build.lock", "dev.lock", "node.lock", "run.lock"}
    for lock in LOCKS:
        entries = re.split(r"\n(?=\S)", lock.read_text().strip())
        for entry in entries:
            assert re.match(
                r"[a-z0-9][a-z0-9._-]*==[^\s;]+( ;[^\\\n]*)?( \\\n    --hash=sha256:[0-9a-f]{64})+$", entry
            ), f"{lock.name}: {entry[:60]}"


def test_smaller_locks_agree_with_the_larger() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"(?m)^[a-z0-9][^\s]*==\S+", (ROOT / "requirements" / name).read_text()))

    assert pins("run.lock") <= pins("dev.lock")
    assert pins("build.lock") <= pins("dev.lock")


def test_no_file_names_a_registry() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com")
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked_files()
        for host in hosts
        if host.encode() in path.read_bytes()
    ]
    assert found == []


def test_locks_name_no_host_at_all() -> None:
    for lock in LOCKS:
        assert "://" not in lock.read_text()
    for lock in (path for path in tracked_files() if path.name == "package-lock.json"):
        assert '"resolved"' not in lock.read_text()


def test_no_file_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert [path for path in tracked_files() if path.stem in vague] == []


def test_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    rules = make_rules()
    named = set(re.findall(r"(?m)(?:^    |`)make ([a-z]+)", readme))
    assert {"run", "test", "prove", "build"} <= named
    assert named <= set(rules)
    for path in re.findall(r"\]\((?!http)([^)]+)\)", readme):
        assert (ROOT / path).exists(), path


def test_the_readme_shows_every_folder_of_the_process() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = set(re.findall(r"(?m)^      ([a-z]+)/ ", readme))
    assert shown == {path.parent.name for path in (ROOT / "daemon").glob("*/__init__.py")}


def test_verbs_of_the_readme_exist(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text()
    commands = set(re.findall(r"`parley ([a-z-]+)(?: ([a-z]+(?:\\\|[a-z]+)*))?", readme))
    of_the_pbx = {"diversion", "click-to-call"}
    rooms = {"app", "chat", "contacts", "directory", "inbox", "mail", "people", "schedule", "survey", *of_the_pbx}
    assert {"run", "demo", "check", "user", "token", "db", "config", *rooms} == {verb for verb, _ in commands}
    assert "usage: parley" in run(str(Path(sys.executable).with_name("parley")), "--help")
    for verb, below in commands:
        for word in below.split("\\|"):
            with pytest.raises(SystemExit) as end:
                main([verb, *([word] if word else []), "--help"])
            assert end.value.code == 0
            assert f"usage: parley {verb} {word}".rstrip() in capsys.readouterr().out


def test_test_command_runs_every_check() -> None:
    rules = make_rules()
    assert "lint" in rules["test"]
    assert "$(PYTEST)" in rules["test"]
    assert "PYTEST := $(BIN)/python -m pytest " in (ROOT / "Makefile").read_text()
    assert "$(NPM) test" in rules["test"]
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        assert tool in rules["lint"]
    assert "strict = true" in (ROOT / "pyproject.toml").read_text()
    assert "exec make test" in (ROOT / ".ci/run").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "run: .ci/run" in (ROOT / ".github/workflows/test.yml").read_text()


def test_unit_is_as_closed_as_it_can_be() -> None:
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing; make test installs it"
    unit = ROOT / "systemd/parley.service"
    # The threshold is in tenths: 11 lets an exposure of 1.1 pass.
    report = run("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=11", str(unit))
    (exposure,) = re.findall(r"Overall exposure level for parley.service: ([\d.]+)", report)
    assert float(exposure) <= 1.1


def test_threshold_of_the_unit_can_fail(tmp_path: Path) -> None:
    unit = tmp_path / "parley.service"
    text = (ROOT / "systemd/parley.service").read_text()
    unit.write_text(text.replace("NoNewPrivileges=yes", "").replace("PrivateUsers=yes", ""))
    command = ("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=11", str(unit))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_unit_starts_stops_and_restarts_as_the_code_expects() -> None:
    settings: dict[str, list[str]] = {}
    for row in (ROOT / "systemd/parley.service").read_text().splitlines():
        name, equals, value = row.partition("=")
        if equals and not row.startswith("#"):
            settings.setdefault(name, []).append(value)
    assert settings["Type"] == ["notify"]
    assert settings["NotifyAccess"] == ["main"]
    assert settings["RestartPreventExitStatus"] == ["78"]
    assert settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert settings["WatchdogSec"] == ["20s"]
    assert settings["KillMode"] == ["mixed"]
    assert settings["TimeoutStopSec"] == ["20s"]
    assert settings["LoadCredential"] == ["switch-main-password:/etc/parley/credentials/switch-main-password"]
    assert "Environment" not in settings
