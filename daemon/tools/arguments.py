"""What a tool takes from an agent: one Struct, made of the parameters of its function, and the JSON schema of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from daemon.plugins import Parameter, Plugin, PluginError

_REF: Final = "#/$defs/"


class ArgumentsError(ValueError):
    """What was given are no arguments of the tool. The message names the argument and what it should be."""


class Arguments:
    """The arguments of ``plugin``. Raises :class:`PluginError` for a type that no JSON can hold."""

    def __init__(self, plugin: Plugin) -> None:
        try:
            self._shape = msgspec.defstruct(
                "Arguments", [_field(argument) for argument in plugin.arguments.values()], kw_only=True
            )
            self._decoder = msgspec.json.Decoder(self._shape)
            self.schema = _schema(self._shape)
            """JSON Schema 2020-12 of the object of arguments, with nothing to look up elsewhere."""
        except (TypeError, ValueError) as error:
            problem = f"an argument of {plugin.path} cannot be read from JSON: {str(error).splitlines()[0]}"
            raise PluginError(problem, "type it with what JSON has, or a msgspec Struct") from error
        self._lists = frozenset(
            field.name
            for field in msgspec.inspect.type_info(self._shape).fields  # type: ignore[attr-defined]
            if any(isinstance(one, msgspec.inspect.ListType) for one in getattr(field.type, "types", (field.type,)))
        )

    def of_body(self, body: bytes) -> dict[str, Any]:
        """The arguments in a JSON object; an empty body is one without any. Raises :class:`ArgumentsError`.

        What the tool does not take is ignored.
        """
        try:
            return self._values(self._decoder.decode(body or b"{}"))
        except msgspec.ValidationError as error:
            raise ArgumentsError(_spoken(error)) from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ArgumentsError("send one JSON object in UTF-8") from error

    def of_query(self, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """The arguments in a query, whose texts are read as what the tool takes. Raises :class:`ArgumentsError`."""
        given: dict[str, list[str]] = {}
        for name, value in query:
            given.setdefault(name, []).append(value)
        plain = {name: many if name in self._lists or len(many) > 1 else many[0] for name, many in given.items()}
        try:
            return self._values(msgspec.convert(plain, self._shape, strict=False))
        except msgspec.ValidationError as error:
            raise ArgumentsError(_spoken(error)) from error
        except ValueError as error:
            raise ArgumentsError("a value is too long") from error

    def _values(self, arguments: msgspec.Struct) -> dict[str, Any]:
        return {name: getattr(arguments, name) for name in self._shape.__struct_fields__}


def _field(parameter: Parameter) -> tuple[str, Any] | tuple[str, Any, Any]:
    if parameter.is_needed:
        return parameter.name, parameter.shape
    return parameter.name, parameter.shape, parameter.default


def _schema(shape: type[msgspec.Struct]) -> dict[str, Any]:
    (whole,), components = msgspec.json.schema_components([shape], ref_template=f"{_REF}{{name}}")
    name = whole["$ref"].removeprefix(_REF)
    schema: dict[str, Any] = _inlined(components[name], components, (name,))
    # What is said of the Struct is said of no tool.
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def _inlined(value: Any, components: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """``value`` with what it refers to in its place: not every agent looks things up."""
    if isinstance(value, list):
        return [_inlined(one, components, within) for one in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {key: _inlined(one, components, within) for key, one in value.items()}
    name = reference.removeprefix(_REF)
    if name in within:
        raise ValueError("a type that holds itself has no schema without references")
    return _inlined(components[name], components, (*within, name)) | {
        key: one for key, one in value.items() if key != "$ref"
    }


def _spoken(error: msgspec.ValidationError) -> str:
    """``Expected `int`, got `str` - at `$.count``` → ``count: Expected `int`, got `str```."""
    text, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {text}" if place else text
