from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika.frame import Body, Header, decode_frame
from pika.spec import BasicProperties

from cv_pipelines.broker.frames import UNREADABLE, header_without_table

SHORT = st.none() | st.text(max_size=50)
HEADERS = st.dictionaries(st.text(max_size=9), st.none() | st.booleans() | st.text() | st.binary(), min_size=1)
FIELDS = {
    **dict.fromkeys(
        ["content_type", "content_encoding", "correlation_id", "reply_to", "message_id", "type"], SHORT
    ),
    "timestamp": st.none() | st.integers(0, 2**64 - 1),
    "priority": st.none() | st.integers(0, 255),
    "delivery_mode": st.none() | st.integers(1, 2),
}


@given(st.fixed_dictionaries(FIELDS), HEADERS, st.integers(0, 2**40), st.binary(max_size=20))
def test_everything_but_the_headers_is_decoded_as_always(
    fields: dict[str, Any], headers: dict[str, Any], size: int, more: bytes
) -> None:
    frame = Header(3, size, BasicProperties(headers=headers, **fields)).marshal()
    used, usual = decode_frame(frame + more)
    found = header_without_table(frame + more)
    assert found is not None
    assert isinstance(usual, Header)
    assert found[0] == used == len(frame)
    assert (found[1].channel_number, found[1].body_size) == (3, size)
    assert list(found[1].properties.headers) == [UNREADABLE]
    usual.properties.headers = found[1].properties.headers
    assert found[1].properties == usual.properties


@pytest.mark.parametrize("frame", [Body(1, b"body"), Header(1, 4, BasicProperties(message_id="x"))])
def test_a_frame_without_headers_is_not_its_business(frame: Body | Header) -> None:
    assert header_without_table(frame.marshal()) is None
