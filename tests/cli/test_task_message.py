"""Messages out of options and files."""

from contextlib import suppress
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.cli.task_message import bytes_of, message_of
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.kinds.registry import KINDS
from cv_pipelines.tasks.parsing import Rejected, parse_task


def params(kind: str, *given: str, file: dict[str, Any] | None = None) -> Any:
    return message_of(kind, file or {}, given, {})["params"]


def test_a_value_is_read_by_what_the_parameter_takes() -> None:
    assert params("sleep", "seconds=2.5") == {"seconds": 2.5}
    assert params("fail", "source=input", "times=null", "message=null") == {
        "source": "input",
        "times": None,
        "message": "null",
    }
    assert params("ingest_dataset", "dataset=2024") == {"dataset": "2024"}
    assert params("train_model", "dataset=a=b", 'parameters={"epochs": 3}') == {
        "dataset": "a=b",
        "parameters": {"epochs": 3},
    }


def test_a_list_is_given_one_by_one_or_as_json() -> None:
    assert params("classify_images", "uris=s3://a/1,2") == {"uris": ["s3://a/1,2"]}
    assert params("classify_images", "uris=s3://a/1", 'uris=["s3://a/2", "s3://a/3"]') == {
        "uris": ["s3://a/1", "s3://a/2", "s3://a/3"]
    }


def test_a_parameter_that_is_no_list_is_given_once() -> None:
    with pytest.raises(click.BadParameter, match="seconds is given 2 times"):
        params("sleep", "seconds=1", "seconds=2")
    with pytest.raises(click.BadParameter, match="write KEY=VALUE"):
        params("sleep", "seconds")


def test_what_is_typed_counts_more_than_the_file() -> None:
    assert params("sleep", "seconds=1", file={"seconds": 9}) == {"seconds": 1}

    whole = {"schema": "cv.task/v1", "task_id": "a", "kind": "sleep", "params": {"seconds": 9}, "priority": 1}
    message = message_of("sleep", whole, ["seconds=1"], {"priority": 7, "task_id": None})

    assert message.pop("submitted_by")
    assert message == {**whole, "params": {"seconds": 1}, "priority": 7}


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind 'fail', not 'sleep'"):
        message_of("sleep", {"schema": "cv.task/v1", "kind": "fail"}, [], {})


def test_two_messages_have_two_ids() -> None:
    first, second = (message_of("sleep", {}, ["seconds=1"], {}) for _ in range(2))

    assert first["task_id"] != second["task_id"]
    assert parse_task(bytes_of(first)).message.params.model_dump() == {"seconds": 1.0}


KEYS = st.sampled_from(sorted({name for kind in KINDS for name in kind.params.model_fields}))


@given(st.sampled_from([kind.name for kind in KINDS]), st.dictionaries(KEYS, st.text(), max_size=3), st.text())
def test_whatever_is_typed_is_a_task_or_refused(kind: str, given: dict[str, str], by: str) -> None:
    message = message_of(kind, {}, [f"{key}={value}" for key, value in given.items()], {"submitted_by": by})

    with suppress(Rejected):
        assert parse_task(bytes_of(message)).message.kind == kind


@pytest.mark.parametrize("value", ["NaN", "1e999", "[" * 100_000, "9" * 10_000, '{"a": 1', "\udcff"])
def test_what_no_reader_agrees_on_is_refused(value: str) -> None:
    with pytest.raises(Rejected):
        parse_task(bytes_of(message_of("sleep", {}, [f"seconds={value}"], {})))
