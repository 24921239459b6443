"""Bytes of strangers: each is a task or is rejected with a reason, and nothing else happens."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.tasks.message import QueueReply, WebhookReply
from cv_pipelines.tasks.parsing import MAX_BYTES, MAX_DEPTH, ParsedTask, Rejected, parse_task

MINIMAL = {"schema": "cv.task/v1", "task_id": "a", "kind": "sleep", "params": {"seconds": 1}}
LEGIBLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{5,1200}")


def body(**fields: Any) -> bytes:
    return json.dumps({**MINIMAL, **fields}).encode()


def rejected(
    content: bytes, message_id: str | None = None, reply_to: str | None = None, correlation_id: str | None = None
) -> Rejected:
    with pytest.raises(Rejected) as caught:
        parse_task(content, message_id, reply_to, correlation_id)
    assert LEGIBLE.fullmatch(caught.value.reason)
    return caught.value


def outcome(
    content: bytes, message_id: str | None = None, reply_to: str | None = None, correlation_id: str | None = None
) -> ParsedTask | Rejected:
    try:
        return parse_task(content, message_id, reply_to, correlation_id)
    except Rejected as problem:
        found = problem
    assert LEGIBLE.fullmatch(found.reason)
    return found


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"", "not_json", "Expecting value at line 1, column 1"),
        (b"\xff{}", "not_utf8", "byte 0 is wrong"),
        (b"\xef\xbb\xbf{}", "not_json", "line 1, column 1"),
        (b"{'a': 1}", "not_json", "line 1, column 2"),
        (body() + b"{}", "not_json", "Extra data"),
        (b"[]", "not_an_object", "must be a JSON object"),
        (b"7", "not_an_object", "must be a JSON object"),
        (b'{"seconds": NaN}', "not_finite", "NaN"),
        (b'{"seconds": -Infinity}', "not_finite", "-Infinity"),
        (b'{"a": 1, "a": 1}', "duplicate_key", "a: is there more than once"),
        (b'{"a": {"b\\u0000": 1, "c": 2, "b\\u0000": 3}}', "duplicate_key", "b\ufffd: "),
        (b'{"a": ' + b"9" * 5000 + b"}", "long_number", "too many digits"),
        (b"[" * 100_000, "too_deep", "64"),
        (b'{"a":' * 40_000, "too_deep", "64"),
        (b"[" * 65 + b"]" * 65, "not_an_object", "object"),
        (body(params={"seconds": 1e400}).replace(b"Infinity", b"1e400"), "invalid", "params.seconds: .* finite"),
        (body(params={"seconds": 10**400}), "invalid", "params.seconds"),
        (body(kind="nap"), "unknown_kind", "kind: .*'nap'; there are: classify_images"),
        (body(kind="\ud800\0"), "unknown_kind", "'\ufffd\ufffd'"),
        (body(kind=["sleep"]), "invalid", "kind: "),
        (b"{}", "invalid", "kind: "),
        (b'{"kind": "sleep"}', "invalid", "schema: Field required; task_id: Field required; params: "),
        (body(schema="cv.task/v2"), "invalid", "schema: Input should be 'cv.task/v1'"),
        (body(task_id="a\0b"), "invalid", "task_id: "),
        (body(params={"seconds": "1"}), "invalid", r"params\.seconds: Input should be a valid number"),
        (body(params={"seconds": 1, "a\0": 1}), "invalid", "params.a\ufffd: "),
        (body(deadline="2030-01-31T12:00:00"), "invalid", "deadline: write a time with its zone"),
        (body(reply=[]), "invalid", "reply: must be an object with reply_to or webhook"),
        (body(reply={"reply_to": "ä" * 200}), "invalid", r"reply\.queue\.reply_to: has more than 255 bytes"),
        (body(**{f"x{number}": 1 for number in range(9)}), "invalid", "; and 4 more$"),
    ],
)
def test_a_message_that_can_be_no_task_is_rejected_with_the_reason(content: bytes, code: str, reason: str) -> None:
    problem = rejected(content)

    assert problem.code == code
    assert re.search(reason, problem.reason)


def test_size_is_looked_at_before_anything_else() -> None:
    fitting = body(submitted_by="a").ljust(MAX_BYTES)

    assert parse_task(fitting).message.task_id == "a"
    assert rejected(fitting + b" ").code == "too_large"
    assert "10,485,760 bytes" in rejected(b"\xff" * (10 << 20)).reason


def test_depth_is_counted_exactly() -> None:
    def nested(depth: int) -> bytes:  # the message itself is the first level
        return body().replace(b'"seconds": 1', b'"x": ' + b"[" * (depth - 2) + b"]" * (depth - 2))

    assert rejected(nested(MAX_DEPTH)).code == "invalid"
    assert rejected(nested(MAX_DEPTH + 1)).code == "too_deep"


def test_brackets_that_are_not_nested_are_no_matter() -> None:
    message = body(submitted_by="[{" * 60)

    assert parse_task(message).message.submitted_by == "[{" * 60


@pytest.mark.parametrize(
    "content",
    [
        b"{" + b",".join(b'"%d":0' % number for number in range(25_000)) + b',"7":0}',
        body(**{f"x{number}": [] for number in range(18_000)}),
        body(params={"dataset": "d", "uris": ["x"] * 50_000}, kind="classify_images"),
        b'{"a":[' + b"[]," * 80_000 + b"[]]}",
    ],
    ids=["names", "unknown fields", "wrong items", "lists"],
)
def test_the_worst_message_of_its_size_takes_no_long_time(content: bytes) -> None:
    assert len(content) <= MAX_BYTES
    started = time.process_time()
    rejected(content)
    assert time.process_time() - started < 5  # quadratic work would take minutes


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/",
        "http://LOCALHOST.:8080/",
        "http://a.localhost/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0/",
        "https://10.1.2.3/",
        "https://224.0.0.1/",
        "http://user:secret@hooks.example/",
        "http://user@169.254.169.254/",
        "http:///path",
        "http://hooks.example:99999/",
        "http://hooks.example:port/",
        "http://[::1/",
    ],
)
def test_a_webhook_that_is_inside_or_no_url_is_rejected_at_once(url: str) -> None:
    problem = rejected(body(reply={"webhook": url}))

    assert problem.code == "webhook"
    assert problem.reason.startswith("reply.webhook: ")


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("https://hooks.example/cv?key=a#b", ()),
        ("http://hooks:8080", ()),
        ("http://93.184.216.34/", ()),
        ("http://[2606:4700:4700::1111]/", ()),
        ("http://localhost:1/", ("localhost",)),
        ("http://127.1/", ("127.0.0.0/8",)),
        ("http://[::1]/", ("::1",)),
    ],
)
def test_a_webhook_that_may_be_is_taken(url: str, allow: tuple[str, ...]) -> None:
    message = parse_task(body(reply={"webhook": url}), allow=allow).message

    assert message.reply == WebhookReply(webhook=url)


def test_the_message_id_is_the_task_id() -> None:
    assert parse_task(body(), "a").message.task_id == "a"
    assert parse_task(body(), "").message.task_id == "a"
    assert rejected(body(), "b").code == "message_id"


@pytest.mark.parametrize(
    ("reply", "properties", "expected"),
    [
        (None, (None, None), None),
        (None, (None, "c"), None),
        (None, ("", ""), None),
        (None, ("q", None), ("q", None)),
        (None, ("q", "c"), ("q", "c")),
        ({"reply_to": "q"}, ("q", "c"), ("q", "c")),
        ({"reply_to": "q", "correlation_id": None}, (None, "c"), ("q", "c")),
        ({"reply_to": "q", "correlation_id": "c"}, (None, None), ("q", "c")),
        ({"reply_to": "q", "correlation_id": "c"}, ("q", None), ("q", "c")),
        ({"reply_to": "q", "correlation_id": "c"}, ("q", "c"), ("q", "c")),
    ],
)
def test_properties_fill_in_the_reply(
    reply: dict[str, Any] | None,
    properties: tuple[str | None, str | None],
    expected: tuple[str, str | None] | None,
) -> None:
    found = parse_task(body(reply=reply), None, *properties)
    wanted = QueueReply(reply_to=expected[0], correlation_id=expected[1]) if expected else None

    assert found.message.reply == wanted
    said = {"reply_to": expected[0], "correlation_id": expected[1]} if expected else None
    assert found.digest == parse_task(body(reply=said)).digest


@pytest.mark.parametrize(
    ("reply", "properties", "code"),
    [
        ({"reply_to": "q"}, ("r", None), "reply"),
        ({"reply_to": "q", "correlation_id": "c"}, ("q", "d"), "reply"),
        ({"reply_to": "q", "correlation_id": ["c"]}, ("q", "d"), "reply"),
        ({"webhook": "https://hooks.example/"}, ("q", None), "reply"),
        ([], ("q", "c"), "invalid"),
        (None, ("q\0", None), "invalid"),
        (None, ("amq.rabbitmq.reply-to.g2dkAA.xyz", None), "reply"),
        ({"reply_to": "amq.rabbitmq.reply-to"}, (None, None), "reply"),
        (None, ("q", "c" * 256), "invalid"),
    ],
)
def test_properties_that_say_something_else_are_rejected(
    reply: object, properties: tuple[str | None, str | None], code: str
) -> None:
    assert rejected(body(reply=reply), None, *properties).code == code


def test_one_message_has_one_digest_however_it_is_written() -> None:
    first = parse_task(body(deadline="2030-01-31T12:00:00+02:00", params={"seconds": 1}))
    written = b'{"params":{"seconds":1.0},"priority":4,"deadline":"2030-01-31T10:00:00Z",\n"reply":null,'
    second = parse_task(written + b'"kind":"\\u0073leep","task_id":"a","schema":"cv.task/v1"}')

    assert first.digest == second.digest
    assert re.fullmatch("[0-9a-f]{64}", first.digest)


def test_who_is_told_does_not_make_it_another_message() -> None:
    assert parse_task(body(), None, "q", "c").digest == parse_task(body(reply={"reply_to": "r"})).digest


def test_the_order_of_parameters_does_not_count() -> None:
    orders = [{"epochs": 3, "seed": 1}, {"seed": 1, "epochs": 3}]
    params = [{"dataset": "d", "parameters": order} for order in orders]

    assert len({parse_task(body(kind="train_model", params=one)).digest for one in params}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"task_id": "b"},
        {"params": {"seconds": 2}},
        {"priority": 5},
        {"deadline": "2030-01-31T12:00:00Z"},
        {"submitted_by": "me"},
    ],
)
def test_another_message_has_another_digest(fields: dict[str, Any]) -> None:
    assert parse_task(body(**fields)).digest != parse_task(body()).digest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=9), inner, max_size=4)
    ),
    max_leaves=20,
)
HOSTS = st.sampled_from(["localhost", "[::1]", "0x7f.1", "2130706433", "a.example", "", "%00", "@", "[", "\\"])
URLS = st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "ftp"]), HOSTS, st.text(max_size=9))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "schema": st.just("cv.task/v1"),
    "task_id": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,127}", fullmatch=True),
    "kind": st.sampled_from(["sleep", "fail", "train_model", "classify_images"]),
    "params": st.fixed_dictionaries(
        {}, optional={"seconds": st.floats(0, 9), "dataset": st.just("d"), "parameters": JSON, "uris": JSON}
    ),
    "priority": st.integers(-1, 10),
    "deadline": st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat()),
    "reply": st.fixed_dictionaries({}, optional={"reply_to": st.text(), "webhook": URLS, "correlation_id": JSON}),
    "submitted_by": st.text(st.characters(), max_size=130),
}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_task_or_rejected(content: bytes) -> None:
    outcome(content)


@given(JSON)
def test_any_json_is_a_task_or_rejected(value: Any) -> None:
    assert isinstance(outcome(json.dumps(value).encode()), Rejected)


@given(
    st.fixed_dictionaries({}, optional={name: field | JSON for name, field in FIELDS.items()}),
    st.lists(st.none() | st.text(st.characters(), max_size=300), min_size=3, max_size=3),
)
def test_anything_like_a_message_is_a_task_or_rejected(
    fields: dict[str, Any], properties: list[str | None]
) -> None:
    found = outcome(json.dumps({**MINIMAL, **fields}).encode(), *properties)

    if isinstance(found, ParsedTask):
        written = found.message.model_dump_json()
        assert "\\u0000" not in written
        again = outcome(written.encode())
        assert isinstance(again, ParsedTask)
        assert again.digest == found.digest
