"""The message of the contract, from what somebody has typed."""

import getpass
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import click

from cv_pipelines.errors import InputError


def message_of(
    kind: str, given: Mapping[str, Any], params: Sequence[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a message together, for the contract to judge.

    Args:
        kind: of task.
        given: what a file holds: parameters, or a whole message (one with `schema`).
        params: `key=value`; these count more than the file's.
        options: other fields of the message; None: not given, so that the file's counts.

    Raises:
        InputError: there is no such kind, or the file's message is of another one.
        click.BadParameter: a parameter is not written as one.
    """
    from cv_pipelines.tasks.kinds.registry import kind_of
    from cv_pipelines.tasks.message import TASK_SCHEMA

    properties = kind_of(kind).params.model_json_schema()["properties"]
    message = dict(given) if "schema" in given else {"schema": TASK_SCHEMA, "params": dict(given)}
    if message.setdefault("kind", kind) != kind:
        raise InputError("kind", f"The file holds a task of kind '{message['kind']}', not '{kind}'.")
    if params:
        typed = parameters_of(properties, params)
        held = message.get("params")
        message["params"] = {**held, **typed} if isinstance(held, dict) else typed
    message |= {name: value for name, value in options.items() if value is not None}
    message.setdefault("task_id", uuid4().hex)
    message.setdefault("submitted_by", getpass.getuser())
    return message


def bytes_of(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the line; whatever cannot go there is for the contract to refuse."""
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")


def parameters_of(properties: Mapping[str, Any], params: Sequence[str]) -> dict[str, Any]:
    """Parameters from `key=value`, by the JSON Schema of each.

    Text stays as it is, whatever it looks like; of the rest, what is JSON is read as such. The values of a list
    are given one by one, or as a JSON list.

    Raises:
        click.BadParameter: one is not written so, or given twice.
    """
    values: dict[str, list[str]] = {}
    for part in params:
        key, sign, value = part.partition("=")
        if not (key and sign):
            raise click.BadParameter(f"'{part}': write KEY=VALUE.", param_hint="'--param'")
        values.setdefault(key, []).append(value)
    found = {}
    for key, texts in values.items():
        schema = properties.get(key, {})
        if "array" in _types(schema):
            found[key] = _list(schema.get("items", {}), texts)
        elif len(texts) > 1:
            raise click.BadParameter(f"{key} is given {len(texts)} times.", param_hint="'--param'")
        else:
            found[key] = _value(schema, texts[0])
    return found


def _types(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a value may have; none: not known."""
    return {one["type"] for one in (schema, *schema.get("anyOf", ())) if isinstance(one.get("type"), str)}


def _list(items: Mapping[str, Any], texts: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for text in texts:
        whole = _json(text) if text.lstrip().startswith("[") else None
        found += whole if isinstance(whole, list) else [_value(items, text)]
    return found


def _value(schema: Mapping[str, Any], text: str) -> Any:
    types = _types(schema)
    if types and types <= {"string", "null"}:
        return None if text == "null" and "null" in types else text
    return _json(text)


def _json(text: str) -> Any:
    """What JSON says, and text that is none as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
