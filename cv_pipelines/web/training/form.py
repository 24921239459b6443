"""The form that starts a training: its fields follow from the parameters, and what is sent becomes parameters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cv_pipelines.errors import InputError
from cv_pipelines.models.architectures.applications import TESTED, application_names
from cv_pipelines.models.architectures.factory import ARCHITECTURES, AUTO
from cv_pipelines.models.parameters import TrainingParameters

FIRST = ("architecture", "epochs", "image_size", "augmentation")
"""What people set most often; the rest is there for who asks for it."""
ABSENT = ("weights",)
"""A file of the machine that trains: no page may name one."""
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Field:
    """One parameter, as a form asks for it.

    Attributes:
        name: of the parameter.
        label: for people.
        kind: `integer`, `number`, `boolean`, `string`, or `choice`.
        default: as text.
        help: a sentence, empty perhaps.
        choices: by the names of their groups; of `choice` alone.
        least, most: limits that may be reached, empty where there are none.
    """

    name: str
    label: str
    kind: str
    default: str
    help: str
    choices: dict[str, list[str]]
    least: str = ""
    most: str = ""


@lru_cache(maxsize=1)
def fields() -> tuple[Field, ...]:
    """All fields, those of FIRST before the others."""
    properties: dict[str, dict[str, Any]] = TrainingParameters.model_json_schema()["properties"]
    names = [*FIRST, *(name for name in properties if name not in (*FIRST, *ABSENT))]
    return tuple(_field(name, properties[name]) for name in names)


def parameters_of(given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that differ from what they are without anybody's say; what is empty is not set.

    Args:
        given: what was typed, by the names of fields; anything else is left alone.

    Raises:
        InputError: code `parameters`: a text is no value of its parameter's type.
    """
    found = {}
    for field in fields():
        text = given.get(field.name, "").strip()
        if text and text != field.default:
            found[field.name] = _value(field, text)
    return found


def architectures() -> dict[str, list[str]]:
    """The names of all architectures, in groups."""
    others = [name for name in application_names() if name not in TESTED]
    return {"Ours": [AUTO, *ARCHITECTURES], "Keras": list(TESTED), "Keras, not tried by us": others}


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    choices = {"": [str(one) for one in schema["enum"]]} if "enum" in schema else {}
    if name == "architecture":
        choices = architectures()
    if schema["type"] == "boolean":
        choices = {"": list(_WORDS)}
    return Field(
        name,
        str(schema["title"]).capitalize(),
        "choice" if choices else schema["type"],
        _text(schema["default"]),
        schema.get("description", ""),
        choices,
        _text(schema.get("minimum", "")),
        _text(schema.get("maximum", "")),
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(field: Field, text: str) -> Any:
    default = TrainingParameters.model_fields[field.name].default
    try:
        if isinstance(default, bool):
            return _WORDS[text]
        value = type(default)(text)
    except (ValueError, KeyError) as error:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise InputError("parameters", f"{field.label}: '{text[:40]}' is not {wanted}.") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("parameters", f"{field.label}: '{text[:40]}' is not a number.")
    return value
