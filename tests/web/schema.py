"""Checks a value against a JSON Schema, as far as our document uses one; what it does not know it refuses."""

from __future__ import annotations

import re
from typing import Any

_ANNOTATIONS = {"title", "description", "default", "$ref"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Schemas:
    """The components of a document."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components

    def problems(self, value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
        """What is wrong with ``value``, each with its place."""
        if "$ref" in schema:
            return self.problems(value, self._components[schema["$ref"].rpartition("/")[2]], at)
        # The other keywords are of values of the type.
        found = self._type(value, schema["type"], at, schema) if "type" in schema else []
        if found:
            return found
        for keyword, wanted in schema.items():
            if keyword in _ANNOTATIONS:
                continue
            check = getattr(self, "_" + keyword, None)
            if check is None:
                raise AssertionError(f"unknown keyword {keyword} at {at}")
            found += check(value, wanted, at, schema)
        return found

    def _type(self, value: Any, wanted: str, at: str, _: Any) -> list[str]:
        right = isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
        return [] if right else [f"{at} is no {wanted}"]

    def _enum(self, value: Any, wanted: list[Any], at: str, _: Any) -> list[str]:
        return [] if value in wanted else [f"{at} is none of {wanted}"]

    def _anyOf(self, value: Any, wanted: list[Any], at: str, _: Any) -> list[str]:  # noqa: N802 - the keyword
        return [] if any(not self.problems(value, one, at) for one in wanted) else [f"{at} fits nothing"]

    def _properties(self, value: Any, wanted: dict[str, Any], at: str, _: Any) -> list[str]:
        present = {name: one for name, one in wanted.items() if name in value}
        return [p for name, one in present.items() for p in self.problems(value[name], one, f"{at}.{name}")]

    def _required(self, value: Any, wanted: list[str], at: str, _: Any) -> list[str]:
        return [f"{at}.{name} is missing" for name in wanted if name not in value]

    def _additionalProperties(self, value: Any, wanted: Any, at: str, schema: Any) -> list[str]:  # noqa: N802
        extra = [name for name in value if name not in schema.get("properties", {})]
        if wanted is False:
            return [f"{at}.{name} is too much" for name in extra]
        return [problem for name in extra for problem in self.problems(value[name], wanted, f"{at}.{name}")]

    def _items(self, value: Any, wanted: dict[str, Any], at: str, _: Any) -> list[str]:
        return [p for number, one in enumerate(value) for p in self.problems(one, wanted, f"{at}[{number}]")]

    def _minimum(self, value: Any, wanted: float, at: str, _: Any) -> list[str]:
        return [] if value >= wanted else [f"{at} is below {wanted}"]

    def _maximum(self, value: Any, wanted: float, at: str, _: Any) -> list[str]:
        return [] if value <= wanted else [f"{at} is above {wanted}"]

    def _minLength(self, value: str, wanted: int, at: str, _: Any) -> list[str]:  # noqa: N802
        return [] if len(value) >= wanted else [f"{at} is too short"]

    def _maxLength(self, value: str, wanted: int, at: str, _: Any) -> list[str]:  # noqa: N802
        return [] if len(value) <= wanted else [f"{at} is too long"]

    def _pattern(self, value: str, wanted: str, at: str, _: Any) -> list[str]:
        return [] if re.search(wanted, value) else [f"{at} does not match"]
