"""The JSON Schemas that others have published, copied beside this page with their licences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER = Path(__file__).with_name("schemas")
GEOJSON = "https://geojson.org/schema/GeoJSON.json"


def json_feed() -> Validator:
    """The schema of JSON Feed 1.1, from npm's jsonfeed-schema 0.5.0."""
    return Draft7Validator(_load("json-feed-1.1.json"))


def ninjs() -> Validator:
    """The schema of ninjs 3.1, from iptc/newsinjson. It refers to one of GeoJSON: any will do."""
    anything = Resource.from_contents({}, default_specification=DRAFT202012)
    return Draft202012Validator(
        _load("ninjs-3.1.json"), registry=Registry().with_resource(GEOJSON, anything)
    )


def _load(name: str) -> Any:
    return orjson.loads((FOLDER / name).read_bytes())
