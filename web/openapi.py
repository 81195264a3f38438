"""The OpenAPI 3.1 document, made from the endpoints that the router is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from web.auth import COOKIE, Needs
from web.endpoint import JSON, Endpoint
from web.payloads import Problem
from web.problems import CONTENT_TYPE

_REF = "#/components/schemas/{name}"


def openapi_document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The document of all ``endpoints``, as what JSON is made of."""
    schemas, components = msgspec.json.schema_components(_types(endpoints), ref_template=_REF)
    of_type = dict(zip(_types(endpoints), schemas, strict=True))
    queries = {endpoint.query.__name__ for endpoint in endpoints if endpoint.query is not None}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, of_type, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": version,
            "description": "The calls of a telephone switch and what is said on them. Live events come over "
            "socket.io, namespace /live.",
        },
        "paths": paths,
        "components": {
            # A query's Struct stands in the parameters, one by one.
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _types(endpoints: Iterable[Endpoint]) -> list[type]:
    found: dict[type, None] = {Problem: None}
    for endpoint in endpoints:
        for shape in (endpoint.query, endpoint.body):
            if shape is not None:
                found[shape] = None
        for answer in endpoint.answers:
            found.update({shape: None for shape in answer.content.values() if shape is not None})
    return list(found)


def _operation(endpoint: Endpoint, of_type: dict[type, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "responses": _responses(endpoint, of_type),
    }
    description = " ".join(filter(None, (endpoint.description, _who(endpoint.needs))))
    if description:
        operation["description"] = description
    if endpoint.needs not in (Needs.NOTHING, Needs.SOURCE):
        # An empty requirement says that it may also do without.
        free: list[dict[str, Any]] = [{}] if endpoint.needs in (Needs.METRICS, Needs.DOCS) else []
        operation["security"] = [{"session": []}, {"token": []}, *free]
    parameters = _parameters(endpoint, components)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": of_type[endpoint.body]}}}
    return operation


def _who(needs: Needs) -> str:
    if needs in (Needs.VIEWER, Needs.OPERATOR, Needs.ADMIN):
        return f"Needs the role {needs.value}."
    if needs is Needs.SOURCE:
        return "Lets in its source alone, by what is configured for that; no session and no API token."
    if needs is Needs.METRICS:
        return "Open to this host and the networks of the setting web.metrics_networks, else needs the role viewer."
    if needs is Needs.DOCS:
        return "Needs the role viewer where the setting web.open_docs is off."
    return ""


def _parameters(endpoint: Endpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in endpoint.path_parameters.items()
    ]
    if endpoint.query is not None:
        shape = components[endpoint.query.__name__]
        for name, schema in shape["properties"].items():
            schema = dict(schema)  # noqa: PLW2901 - its description moves up
            description = schema.pop("description", "")
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in shape.get("required", ()),
                    "description": description,
                    "schema": schema,
                }
            )
    return parameters


def _responses(endpoint: Endpoint, of_type: dict[type, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for answer in endpoint.answers:
        response: dict[str, Any] = {"description": answer.description}
        if answer.content:
            response["content"] = {
                media: {"schema": {"type": "string"} if shape is None else of_type[shape]}
                for media, shape in answer.content.items()
            }
        responses[str(answer.status)] = response
    for status in sorted(_errors(endpoint)):
        responses.setdefault(
            str(status),
            {
                "description": HTTPStatus(status).phrase,
                "content": {CONTENT_TYPE: {"schema": of_type[Problem]}},
            },
        )
    return responses


def _errors(endpoint: Endpoint) -> set[int]:
    errors = {*endpoint.errors, 500}
    if endpoint.needs is Needs.SOURCE:
        errors |= {401, 403, 404, 408, 413, 429}
    elif endpoint.needs is not Needs.NOTHING:
        errors |= {401, 403, 503}
    if endpoint.query is not None:
        errors.add(422)
    if endpoint.body is not None:
        errors |= {400, 413, 415, 422}
    return errors
