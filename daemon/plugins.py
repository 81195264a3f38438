"""Functions of others, named in the configuration: loaded by a dotted path, given what they ask for.

A plugin is an async function. What it takes by position is given by who calls it (a tool's arguments, a handler's
delivery); what it takes by keyword only is given once, by type:

    async def order_status(order: str, *, database: Database) -> dict[str, Any]: ...

A parameter named ``options`` gets the plugin's own table of the configuration, converted to the parameter's type.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

OPTIONS: Final = "options"
"""The keyword-only parameter that gets the plugin's own table of the configuration."""

_CONFIGURE: Final = "configure what provides it, or ask for something else"
_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class PluginError(Exception):
    """A plugin cannot be used. The text says why and ``remedy`` what to do, to whoever wrote it or named it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


class MissingError(PluginError):
    """It asks for something of the type ``contract`` (``None``: of no one type), which is not there."""

    def __init__(self, problem: str, contract: type | None) -> None:
        super().__init__(problem, _CONFIGURE)
        self.contract = contract


class OptionsError(PluginError):
    """Its own table of the configuration does not fit."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a plugin. ``shape`` is its type with all annotations, ``default`` what it is without a value."""

    name: str
    shape: Any
    default: Any = inspect.Parameter.empty

    @property
    def is_needed(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    @property
    def contract(self) -> type | None:
        """The type by which it is supplied: of ``Diversions | None`` that is ``Diversions``."""
        shape = typing.get_args(self.shape)[0] if typing.get_origin(self.shape) is typing.Annotated else self.shape
        if typing.get_origin(shape) in (typing.Union, types.UnionType):
            choices = [choice for choice in typing.get_args(shape) if choice is not types.NoneType]
            shape = choices[0] if len(choices) == 1 else None
        return shape if isinstance(shape, type) else None


class Plugin(msgspec.Struct, frozen=True):
    """A function that was loaded, and what it takes: ``arguments`` by position or name, ``needs`` by keyword only."""

    path: str
    function: Callable[..., Awaitable[Any]]
    arguments: Mapping[str, Parameter]
    needs: Mapping[str, Parameter]
    made: Callable[..., Any] | None = None
    """For a class: what makes the object, of all it ``needs``, whose method ``function`` is."""

    @property
    def description(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.function) or ""

    def wants(self, contract: type) -> bool:
        """Whether it asks for what ``contract`` says."""
        return any(need.contract is contract for need in self.needs.values())

    def check(
        self, supplied: Collection[type], *, taken: Collection[str] = (), options: Mapping[str, Any] | None = None
    ) -> None:
        """Raise :class:`PluginError` where :meth:`bind` would; of the supplies only the types are needed."""
        for argument in self.arguments.values():
            if argument.is_needed and argument.name not in taken:
                given = f"there is {', '.join(sorted(taken))}" if taken else "nothing is given by position"
                raise PluginError(f"{self.path} takes {argument.name}, which nobody gives", f"name what is: {given}")
        for need in self.needs.values():
            if need.is_needed and need.name not in (*taken, OPTIONS) and need.contract not in supplied:
                problem = f"{self.path} needs {need.name}: {_written(need.shape)}, which is not there"
                raise MissingError(problem, need.contract)
        self._options(options or {})

    def bind(
        self,
        supplies: Mapping[type, object],
        *,
        taken: Collection[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Callable[..., Awaitable[Any]]:
        """The function with all it needs; it is to be called with ``taken``, by keyword.

        ``supplies`` are by the type that a plugin asks for. What is given at each call and the plugin does not name is
        kept from it. Raises :class:`PluginError` where something is missing.
        """
        self.check(supplies.keys(), taken=taken, options=options)
        given = self._options(options or {})
        for need in self.needs.values():
            contract = need.contract
            if contract is not None and contract in supplies and need.name not in taken:
                given[need.name] = supplies[contract]
        named = frozenset(taken) & (self.arguments.keys() | self.needs.keys())

        async def call(**values: Any) -> Any:
            values = {name: value for name, value in values.items() if name in named}
            if self.made is not None:
                return await self.function(self.made(**given), **values)
            return await self.function(**values, **given)

        return call

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        parameter = self.needs.get(OPTIONS)
        if parameter is None:
            if options:
                raise OptionsError(f"{self.path} takes no options", "remove them")
            return {}
        if not options and not parameter.is_needed:
            return {}
        try:
            return {OPTIONS: msgspec.convert(dict(options), parameter.shape)}
        except msgspec.ValidationError as error:
            raise OptionsError(
                f"the options of {self.path} do not fit: {error}", "mend its table of options"
            ) from error
        except TypeError as error:
            problem = f"the type of the options of {self.path} cannot be read from a table"
            raise PluginError(problem, "make it a msgspec Struct or a dict") from error


def add_folders(folders: Iterable[str]) -> None:
    """Let plugins be imported from ``folders``. They come last: no file in them hides a module of another."""
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)
    importlib.invalidate_caches()


def load(path: str, *, method: str = "") -> Plugin:
    """Import the function at ``package.module:name``. Raises :class:`PluginError`.

    With ``method`` it may be a class that has an async method of that name: what its constructor takes by keyword is
    given by type, what the method takes by whoever calls it.
    """
    if not _PATH.fullmatch(path):
        raise PluginError(f'"{path}" names no function', "write it as package.module:name")
    module_name, _, name = path.partition(":")
    module = _import(module_name)
    if not hasattr(module, name):
        raise _nothing_there(module, module_name, name)
    return _plugin(path, getattr(module, name), method)


def plugin_of(made: Any, *, method: str = "") -> Plugin:
    """As :func:`load`, of a function or class that is at hand. Raises :class:`PluginError`."""
    name = getattr(made, "__name__", type(made).__name__)
    return _plugin(f"{getattr(made, '__module__', '?')}:{name}", made, method)


def _plugin(path: str, made: Any, method: str) -> Plugin:
    if method and isinstance(made, type):
        return _class(path, made, method)
    if not inspect.iscoroutinefunction(made):
        raise PluginError(f"{path} is no async function", "define it by async def")
    arguments, needs = _parameters(path, made)
    return Plugin(path, made, arguments, needs)


def _class(path: str, made: type, method: str) -> Plugin:
    function = getattr(made, method, None)
    if function is None or not inspect.iscoroutinefunction(function):
        raise PluginError(f"{path} has no async method {method}", f"define it by async def {method}")
    arguments, given = _parameters(f"{path}.{method}", function, is_method=True)
    make: Callable[..., Any] = inspect.getattr_static(made, "__init__")
    taken, needs = _parameters(path, make, is_method=True) if make is not object.__init__ else ({}, {})
    if given or taken:
        problem = f"{path} takes {', '.join([*given, *taken])} where nobody gives it"
        raise PluginError(problem, f"let __init__ take what it needs by keyword only, and {method} nothing more")
    return Plugin(path, function, arguments, needs, made)


def _parameters(
    path: str, function: Callable[..., Any], *, is_method: bool = False
) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
    """What a function takes by position, and by keyword only."""
    arguments: dict[str, Parameter] = {}
    needs: dict[str, Parameter] = {}
    shapes = _shapes(path, function)
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters[1:] if is_method else parameters:
        match parameter.kind:
            case inspect.Parameter.POSITIONAL_OR_KEYWORD:
                kept = arguments
            case inspect.Parameter.KEYWORD_ONLY:
                kept = needs
            case _:
                problem = f"{path} has the parameter {parameter}, of which nobody can say what it is"
                raise PluginError(problem, "name each parameter, without * and / around them")
        if parameter.name not in shapes:
            raise PluginError(f"{path} does not say what {parameter.name} is", "give the parameter a type")
        kept[parameter.name] = Parameter(parameter.name, shapes[parameter.name], parameter.default)
    return arguments, needs


def place_of(error: BaseException) -> str:
    """The file and line that raised it: of a plugin's error what may be logged, since its text may quote a caller."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            remedy = "mend its name, or put its folder into [plugins] path"
            raise PluginError(f"there is no module {missing}", remedy) from error
        problem = f"{name} needs the module {missing}, which is not there"
        raise PluginError(problem, f"install {missing} beside Parley, or put its folder into [plugins] path") from error
    except (Exception, SystemExit) as error:
        line = _line_in(error, name)
        raise PluginError(f"{name} cannot be imported: {type(error).__name__}: {error}{line}", "mend it") from error


def _line_in(error: BaseException, name: str) -> str:
    """The last line of the module itself that the error came through; the text of a syntax error has one already."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == name:
            line = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    return line


def _nothing_there(module: types.ModuleType, module_name: str, name: str) -> PluginError:
    functions = [one for one, value in vars(module).items() if inspect.iscoroutinefunction(value)]
    close = difflib.get_close_matches(name, functions, n=1) or functions[:1]
    remedy = f'did you mean "{close[0]}"?' if close else "name an async function that it has"
    return PluginError(f"{module_name} has no {name}", remedy)


def _shapes(path: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        # The annotations are code of the plugin's, evaluated only now.
        problem = f"the types of {path} cannot be read: {type(error).__name__}: {error}"
        raise PluginError(problem, "import every type it names, not only under TYPE_CHECKING") from error


def _written(shape: Any) -> str:
    return shape.__name__ if isinstance(shape, type) else str(shape)
