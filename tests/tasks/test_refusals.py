"""Who is told that a message was refused, whatever the message looks like."""

import json
from typing import Any

import pytest

from cv_pipelines.tasks.parsing import MAX_BYTES
from cv_pipelines.tasks.refusals import Sender, sender_of

NOBODY = Sender(None, None, None)


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def queue(name: str, correlation: str | None = None) -> dict[str, Any]:
    return {"reply_to": name, "correlation_id": correlation}


def test_properties_are_enough_for_a_body_that_nobody_can_read() -> None:
    for unreadable in (b"", b"?", b"\xff", b"[" * 100_000, b"x" * (MAX_BYTES + 1)):
        assert sender_of(unreadable) == NOBODY
        assert sender_of(unreadable, "a", "answers", "7") == Sender("a", None, queue("answers", "7"))


def test_a_body_says_what_the_properties_do_not() -> None:
    said = body(task_id="b", kind="sleep", reply={"reply_to": "other", "correlation_id": "8"}, params=None)

    assert sender_of(said) == Sender("b", "sleep", queue("other", "8"))
    assert sender_of(said, "a", "answers") == Sender("a", "sleep", queue("answers"))
    hook = {"webhook": "https://8.8.8.8/hook"}
    assert sender_of(body(reply=hook)).reply == hook


@pytest.mark.parametrize(
    "reply_to", ["", "amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.a.b", "x" * 256, "a\0b", "\ud800"]
)
def test_what_names_no_queue_is_nobody(reply_to: str) -> None:
    assert sender_of(b"?", reply_to=reply_to) == NOBODY
    assert sender_of(body(reply={"reply_to": reply_to})) == NOBODY


@pytest.mark.parametrize(
    "reply",
    ["text", 7, [], {}, {"webhook": "http://127.0.0.1/"}, {"webhook": "file:///x"}, {"reply_to": "a", "more": 1}],
)
def test_a_reply_that_is_none_is_nobody(reply: object) -> None:
    assert sender_of(body(reply=reply)) == NOBODY


def test_names_that_are_none_are_left_out_and_the_rest_is_told() -> None:
    assert sender_of(body(task_id="?", kind="party"), "a b", "answers", "7\0") == Sender(
        None, None, queue("answers")
    )
    assert sender_of(body(task_id=[1], kind=["sleep"])) == NOBODY
