"""A folder of files with call apps in them, as somebody who writes them has it open: found, and followed as it changes.

What changes counts from the next call on. Each time the modules are made anew rather than over again, so a call that is
under way keeps all of what it began with. A file that cannot be imported changes nothing, and the log says why.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from daemon.callapps.contract import AppCall
from daemon.callapps.definition import define, define_as
from daemon.callapps.room import CallApps
from daemon.config import CallAppConfig
from daemon.plugins import PluginError, add_folders

log = structlog.get_logger(__name__)

LOOK_AGAIN: Final = 0.5
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")
_OF_TESTS: Final = re.compile(r"test_.*|.*_test|conftest")
"""As pytest names its files. They need what Parley does not, and their apps are nobody's to call."""

_Stamps = dict[Path, tuple[int, int]]


class AppFolder:
    """Apps of the modules directly in ``path``, which may import others that are in it or below it."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._stamps: _Stamps = {}

    def find(self) -> list[CallAppConfig]:
        """Every app that is there: a public async function of an ``AppCall``, or a class whose ``run`` is one.

        Its name and only code is its own, in small letters with hyphens. Raises :class:`PluginError` for a file that
        cannot be imported. Files of tests are left alone.
        """
        add_folders([str(self._path)])
        self._stamps = self._look()
        found: list[CallAppConfig] = []
        with _made_anew(self._modules()):
            for file in sorted(self._path.glob("*.py")):
                if not _OF_TESTS.fullmatch(file.stem):
                    found += _apps_of(file.stem)
        return found

    async def follow(self, apps: CallApps) -> None:
        """Let ``apps`` be as the files are, until cancelled. Apps that were not found before are not taken in."""
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            self.renew(apps)

    def renew(self, apps: CallApps) -> bool:
        """Let ``apps`` be as the files are now; true where any file has changed since the last time."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        modules = self._modules()
        ours = [one for one in apps.definitions.values() if one.config.use.partition(":")[0] in modules]
        with _made_anew(modules):
            for definition in ours:
                name = definition.config.name
                try:
                    apps.renew(define(definition.config))
                except PluginError as error:
                    log.error("callapp_not_renewed", app=name, why=str(error))
                else:
                    log.info("callapp_renewed", app=name)
        return True

    def _look(self) -> _Stamps:
        stamps: _Stamps = {}
        for file in self._path.rglob("*.py"):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue  # an editor at work
            stamps[file] = (status.st_mtime_ns, status.st_size)
        return stamps

    def _modules(self) -> dict[str, types.ModuleType]:
        """Those that were imported from it."""
        return {
            name: module
            for name, module in sys.modules.items()
            if (file := getattr(module, "__file__", None)) and self._path in Path(file).parents
        }


def _apps_of(module_name: str) -> Iterator[CallAppConfig]:
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit):
        define(CallAppConfig(use=f"{module_name}:app"))  # which says what is wrong, to people
        raise
    for name, made in vars(module).items():
        if getattr(made, "__module__", None) != module_name or not _NAME.fullmatch(name) or not _is_app(made):
            continue
        config = CallAppConfig(name=_NO_NAME.sub("-", name.lower()).strip("-"), use=f"{module_name}:{name}")
        config.codes = [config.name]
        yield config


def _is_app(made: Any) -> bool:
    """Whether a module's function or class is an app, and not what an app is made of."""
    if not (inspect.iscoroutinefunction(made) or (isinstance(made, type) and hasattr(made, "run"))):
        return False
    try:
        definition = define_as(CallAppConfig(), made)
    except PluginError:
        return False
    return definition.plugin.arguments[definition.argument].contract is AppCall


@contextmanager
def _made_anew(modules: dict[str, types.ModuleType]) -> Iterator[None]:
    """Meanwhile ``modules`` are not there, and are imported anew where somebody asks; those that are not come back.

    Nothing is written beside the files: what was compiled within the second of a change would be taken for the change.
    """
    for name in modules:
        del sys.modules[name]
    importlib.invalidate_caches()
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        for name, module in modules.items():
            sys.modules.setdefault(name, module)
