"""The contract as documents: JSON Schema for each kind's messages and for status, AsyncAPI for the whole.

They are made from the models. The committed copies in docs/schemas are for those who do not run us.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from cv_pipelines.tasks.asyncapi import asyncapi_document
from cv_pipelines.tasks.kinds.registry import KINDS
from cv_pipelines.tasks.message import MESSAGES, StatusMessage

DIALECT = "https://json-schema.org/draft/2020-12/schema"
STATUS_FILE = "status.v1.json"


def documents() -> dict[str, dict[str, Any]]:
    """All documents by their file names."""
    tasks = {task_file(kind.name): _task_schema(kind.name) for kind in KINDS}
    files = {kind.name: task_file(kind.name) for kind in KINDS}
    return {**tasks, STATUS_FILE: _status_schema(), "asyncapi.v3.json": asyncapi_document(files, STATUS_FILE)}


def write_documents(folder: Path) -> list[Path]:
    """Write all documents into a folder, which is made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, document in documents().items():
        path = folder / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def task_file(kind: str) -> str:
    """Name of the document of one kind's messages."""
    return f"task.{kind}.v1.json"


def _task_schema(kind: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **TypeAdapter(MESSAGES[kind]).json_schema()}


def _status_schema() -> dict[str, Any]:
    """The status message, with the result of each kind where the model has any."""
    # validation: a receiver must get along without fields that have a default
    models = [(StatusMessage, "validation"), *((kind.result, "validation") for kind in KINDS)]
    references, shared = models_json_schema(models)  # type: ignore[arg-type]
    definitions = shared["$defs"]
    status = definitions.pop("StatusMessage")
    rules = [_result_rule(kind.name, references[kind.result, "validation"]) for kind in KINDS]
    return {"$schema": DIALECT, **status, "allOf": rules, "$defs": definitions}


def _result_rule(kind: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"kind": {"const": kind}}},
        "then": {"properties": {"result": {"anyOf": [result, {"type": "null"}]}}},
    }
