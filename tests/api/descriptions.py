"""What /openapi.json and /asyncapi.json say, as the judge of what the server does."""

from __future__ import annotations

import copy
import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


class Descriptions:
    """Both documents. Their schemas are taken strictly: a member that has no name is a fault."""

    def __init__(self, reader: httpx.Client) -> None:
        self.openapi: dict[str, Any] = reader.get("/openapi.json").json()
        self.asyncapi: dict[str, Any] = reader.get("/asyncapi.json").json()
        self.seen: set[tuple[str, str, str]] = set()
        strict = copy.deepcopy(self.openapi)
        for schema in strict["components"]["schemas"].values():
            _close(schema)
        documents = {"openapi.json": strict, "asyncapi.json": self.asyncapi}
        self._registry = Registry().with_resources(
            (name, Resource.from_contents(document, default_specification=DRAFT202012))
            for name, document in documents.items()
        )

    @property
    def named(self) -> set[tuple[str, str, str]]:
        """Every operation and status that there is."""
        return {
            (path, method, status)
            for path, operations in self.openapi["paths"].items()
            for method, operation in operations.items()
            if method != "parameters"
            for status in operation["responses"]
        }

    def takes(self, operation: dict[str, Any], name: str) -> bool:
        """Say whether an operation has a parameter of this name."""
        given = operation.get("parameters", [])
        return any(
            name in (one.get("name"), one.get("$ref", "").rpartition("/")[2]) for one in given
        )

    def is_document(self, path: str) -> bool:
        """Say whether the operation at a path is that of a document, whose errors are no pages."""
        return "documents" in self.openapi["paths"][path]["get"]["tags"]

    def message(self, message: dict[str, Any]) -> str:
        """Hold a live message to its schema; return its name."""
        found = self.asyncapi["components"]["messages"][message["type"]]
        self._validate(message, found["payload"], "asyncapi.json")
        return str(found["name"])

    def answer(self, path: str, answer: httpx.Response) -> None:
        """Hold an answer to what is said of the operation at this path."""
        method, status = answer.request.method.lower(), str(answer.status_code)
        responses = self.openapi["paths"][path][method]["responses"]
        named = f"{method} {path} {status}"
        assert status in responses, f"{named} is not documented: {answer.text[:200]}"
        self.seen.add((path, method, status))
        response = self._resolved(responses[status])
        content = response.get("content", {})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert not answer.is_stream_consumed or not answer.content, f"{named} has a body"
            return
        assert kind in content, f"{named} is {kind}"
        if kind.endswith("json") and "schema" in content[kind]:
            self._validate(answer.json(), content[kind]["schema"], "openapi.json")
        for name, header in response.get("headers", {}).items():
            if name in answer.headers:
                value: Any = answer.headers[name]
                kind_of = header["schema"]["type"]
                value = int(value) if kind_of == "integer" else value
                Draft202012Validator(header["schema"]).validate(value)

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in response:
            name = response["$ref"].rpartition("/")[2]
            found: dict[str, Any] = self.openapi["components"]["responses"][name]
            return found
        return response

    def _validate(self, value: Any, schema: dict[str, Any], document: str) -> None:
        based = _based(copy.deepcopy(schema), document)
        Draft202012Validator(based, registry=self._registry).validate(value)


def references(value: Any) -> set[str]:
    """Return every reference in a document."""
    if isinstance(value, list):
        return {found for one in value for found in references(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {found for one in value.values() for found in references(one)}


def _close(schema: Any) -> None:
    """Let no object of a schema have members that are not named."""
    if isinstance(schema, list):
        for one in schema:
            _close(one)
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for one in schema.values():
            _close(one)


def _based(schema: Any, document: str) -> Any:
    """Let references within a document be found from outside of it."""
    if isinstance(schema, list):
        return [_based(one, document) for one in schema]
    if isinstance(schema, dict):
        return {
            name: re.sub("^#", f"{document}#", one)
            if name == "$ref" and isinstance(one, str)
            else _based(one, document)
            for name, one in schema.items()
        }
    return schema
