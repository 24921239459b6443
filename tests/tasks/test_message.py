"""The models of messages: what a field takes, and what a status looks like."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from cv_pipelines.tasks.fields import legible
from cv_pipelines.tasks.kinds.sleep import SleepParams
from cv_pipelines.tasks.message import TASKS, StatusMessage, TaskMessage
from cv_pipelines.tasks.problem import TaskError

MINIMAL = {"schema": "cv.task/v1", "task_id": "a", "kind": "sleep", "params": {"seconds": 1}}


def read(**fields: Any) -> TaskMessage:
    return TASKS.validate_python({**MINIMAL, **fields})


def test_a_message_needs_little() -> None:
    message = read()

    assert (message.task_id, message.kind, message.priority) == ("a", "sleep", 4)
    assert message.params == SleepParams(seconds=1.0)
    assert (message.deadline, message.reply, message.submitted_by) == (None, None, "")


def test_a_message_is_written_as_it_is_read() -> None:
    reply = {"reply_to": "answers", "correlation_id": None}
    message = read(
        priority=9, deadline="2030-01-31T12:00:00.5+02:00", reply=reply, submitted_by="Zoë, night shift"
    )

    written = json.loads(message.model_dump_json())

    assert written["schema"] == "cv.task/v1"
    assert written["deadline"] == "2030-01-31T10:00:00.500000Z"
    assert written["reply"] == reply
    assert TASKS.validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize(
    "fields",
    [
        {"schema": "cv.task/v2"},
        {"task_id": ""},
        {"task_id": "a" * 129},
        {"task_id": "-a"},
        {"task_id": "a b"},
        {"task_id": "a\n"},
        {"task_id": "ä"},
        {"task_id": "a\0"},
        {"task_id": 1},
        {"kind": "nap"},
        {"params": None},
        {"params": []},
        {"priority": 10},
        {"priority": -1},
        {"priority": 4.0},
        {"priority": True},
        {"priority": "4"},
        {"priority": None},
        {"deadline": "2030-01-31T12:00:00"},
        {"deadline": "2030-01-31"},
        {"deadline": "2030-02-31T12:00:00Z"},
        {"deadline": "2030-01-31T12:00:00+25:00"},
        {"deadline": "0001-01-01T00:00:00+23:59"},
        {"deadline": "9999-12-31T23:59:59-23:59"},
        {"deadline": "２０３０-01-31T12:00:00Z"},
        {"deadline": 1893456000},
        {"deadline": datetime(2030, 1, 1)},
        {"reply": "answers"},
        {"reply": {}},
        {"reply": {"reply_to": ""}},
        {"reply": {"reply_to": "ä" * 128}},
        {"reply": {"reply_to": "a\x00b"}},
        {"reply": {"reply_to": "a", "webhook": "https://a.example/"}},
        {"reply": {"reply_to": "a", "correlation_id": "b" * 256}},
        {"reply": {"webhook": "ftp://a.example/"}},
        {"reply": {"webhook": "https://a.example/" + "a" * 2048}},
        {"reply": {"webhook": "https://a.example/\r\nHost: b"}},
        {"submitted_by": "a\tb"},
        {"submitted_by": "a" * 129},
        {"submitted_by": "\ud800"},
        {"more": 1},
    ],
    ids=lambda fields: json.dumps(fields, default=str)[:60],
)
def test_a_field_that_holds_something_else_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**fields)


@pytest.mark.parametrize("field", MINIMAL)
def test_what_every_message_needs_is_missed(field: str) -> None:
    with pytest.raises(ValidationError):
        TASKS.validate_python({name: value for name, value in MINIMAL.items() if name != field})


def test_a_status_says_when_in_utc() -> None:
    at = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    error = TaskError(source="input", code="no_dataset", message="There is none.")
    status = StatusMessage(
        schema="cv.status/v1", task_id="a", kind="sleep", number=3, state="failed", error=error, at=at
    )

    assert json.loads(status.model_dump_json()) == {
        "schema": "cv.status/v1",
        "task_id": "a",
        "kind": "sleep",
        "number": 3,
        "state": "failed",
        "progress": None,
        "result": None,
        "error": {"source": "input", "code": "no_dataset", "message": "There is none."},
        "at": "2030-01-31T10:00:00Z",
    }
    assert StatusMessage.model_validate_json(status.model_dump_json()) == status


@pytest.mark.parametrize(
    "fields",
    [{"number": 0}, {"state": "lost"}, {"progress": 1.1}, {"at": datetime(2030, 1, 1)}],
)
def test_a_status_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    right = {
        "task_id": "a",
        "kind": "sleep",
        "number": 1,
        "state": "running",
        "at": datetime(2030, 1, 1, tzinfo=UTC),
    }

    StatusMessage.model_validate(right)
    with pytest.raises(ValidationError):
        StatusMessage.model_validate({**right, **fields})


def test_an_error_of_any_text_can_be_told() -> None:
    error = TaskError(source="internal", code="unexpected", message="two\nlines, \0 and \ud800" + "a" * 5000)

    assert error.message.startswith("two lines, \ufffd and \ufffdaaa")
    assert len(error.message) == 1000
    assert legible("\x85\x1b[31m", 3) == "\ufffd\ufffd["
