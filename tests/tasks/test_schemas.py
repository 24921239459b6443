"""The documents of the contract: the committed ones are those of the models, and say what the models take."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.broker.topology import STATUS_EXCHANGE, TASKS
from cv_pipelines.settings import ROOT
from cv_pipelines.tasks.kinds.registry import KINDS
from cv_pipelines.tasks.schemas import STATUS_FILE, documents, task_file, write_documents

jsonschema = pytest.importorskip("jsonschema")

AGAIN = "they are not those of the models any more: write them with 'cv-pipelines schema export docs/schemas'"
PARAMS: dict[str, dict[str, Any]] = {
    "classify_images": {"dataset": "flowers", "uris": ["s3://photos/1.png"]},
    "ingest_dataset": {"dataset": "flowers"},
    "train_model": {"dataset": "flowers", "parameters": {"epochs": 3}},
    "predict_dataset": {"dataset": "flowers"},
    "analyse_motion": {"video": "s3://archive/2024/crossing.mp4"},
    "sleep": {"seconds": 0.5},
    "fail": {"source": "crash"},
}
STATUS = {"schema": "cv.status/v1", "task_id": "a", "kind": "sleep", "number": 1, "state": "succeeded"}


def task(kind: str, **fields: Any) -> dict[str, Any]:
    return {"schema": "cv.task/v1", "task_id": "a", "kind": kind, "params": PARAMS[kind], **fields}


def is_valid(name: str, value: Any) -> bool:
    checker = jsonschema.Draft202012Validator
    return bool(checker(documents()[name], format_checker=checker.FORMAT_CHECKER).is_valid(value))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_committed_documents_are_those_of_the_models(tmp_path: Path) -> None:
    written = {path.name: path.read_text("utf-8") for path in write_documents(tmp_path / "new")}

    assert sorted(written) == sorted(path.name for path in (ROOT / "docs/schemas").iterdir()), AGAIN
    for name, text in written.items():
        assert (ROOT / "docs/schemas" / name).read_text("utf-8") == text, AGAIN


@pytest.mark.parametrize("name", [*(task_file(kind.name) for kind in KINDS), STATUS_FILE])
def test_every_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(documents()[name])


@pytest.mark.parametrize("kind", PARAMS)
def test_the_schema_of_a_kind_takes_its_messages_only(kind: str) -> None:
    name = task_file(kind)

    assert is_valid(name, task(kind))
    reply = {"webhook": "https://hooks.example/"}
    assert is_valid(name, task(kind, priority=0, deadline="2030-01-31T12:00:00Z", reply=reply, submitted_by="me"))
    assert not is_valid(name, {**task(kind), "kind": "another"})
    assert not is_valid(name, task(kind, params={**PARAMS[kind], "more": 1}))
    assert not is_valid(name, task(kind, params={}))
    assert not is_valid(name, task(kind, priority=10))
    assert not is_valid(name, task(kind, reply={**reply, "reply_to": "q"}))


def test_images_come_one_way_or_the_other() -> None:
    both = {**PARAMS["classify_images"], "image": "AA=="}

    assert not is_valid(task_file("classify_images"), task("classify_images", params=both))
    alone = {"dataset": "flowers", "image": "AA=="}
    assert is_valid(task_file("classify_images"), task("classify_images", params=alone))


def test_a_status_holds_the_result_of_its_kind() -> None:
    status = {**STATUS, "at": "2030-01-31T12:00:00Z"}

    assert is_valid(STATUS_FILE, status)
    assert is_valid(STATUS_FILE, {**status, "result": {"slept": 0.5}})
    assert not is_valid(STATUS_FILE, {**status, "result": {"attempts": 1}})
    assert not is_valid(STATUS_FILE, {**status, "state": "lost"})
    assert not is_valid(STATUS_FILE, STATUS)


def test_the_whole_names_every_message_and_where_it_goes() -> None:
    every = documents()
    whole = every["asyncapi.v3.json"]

    assert whole["asyncapi"] == "3.0.0"
    assert whole["channels"]["tasks"]["address"] == TASKS
    assert whole["channels"]["status"]["bindings"]["amqp"]["exchange"]["name"] == STATUS_EXCHANGE
    assert set(whole["channels"]["tasks"]["messages"]) == {kind.name for kind in KINDS}
    for reference in references(whole):
        if reference.startswith("./"):
            assert reference[2:] in every
            continue
        found = whole
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_documents_are_json_without_surprises() -> None:
    assert json.loads(json.dumps(documents(), allow_nan=False)) == documents()
