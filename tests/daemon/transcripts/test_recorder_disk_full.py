"""A full disk under the spool: rows wait in memory, go to the database directly, and past the bound are lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.daemon.transcripts import full_disk
from tests.services.databases import PostgresDatabases


def run_on_small_disk(disk: Path, *arguments: str) -> None:
    """Run ``full_disk.py`` where ``disk`` is a tmpfs that nobody else sees."""
    disk.mkdir()
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    script = 'mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"'
    command = [*namespace, "sh", "-c", script, "sh", str(disk), sys.executable, str(full_disk.__file__), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr


def test_the_disk_of_the_spool_is_full(tmp_path: Path, postgres_databases: PostgresDatabases) -> None:
    disk = tmp_path / "disk"
    run_on_small_disk(disk, "beside", str(disk), postgres_databases.make())


def test_the_disk_of_both_spool_and_database_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    run_on_small_disk(disk, "same", str(disk))
