"""A connection that no message can break.

pika decodes the headers of a message while it reads the stream. What it cannot decode (a time in milliseconds is
one beyond the year 9999, tables may be nested deeper than Python's stack) ends the connection: the message goes
back, with its innocent neighbours, and ends the next one. Here such headers come undecoded instead.
"""

import struct
from collections.abc import Sequence

from pika.adapters.select_connection import SelectConnection
from pika.exceptions import AMQPError
from pika.frame import Frame, Header, ProtocolHeader
from pika.spec import FRAME_END_SIZE, FRAME_HEADER, FRAME_HEADER_SIZE, BasicProperties

UNREADABLE = "cv-unreadable-headers"
"""The only header of a message whose headers cannot be decoded; its value is the bytes of all of them."""

_UNDECODABLE = (ValueError, ArithmeticError, OSError, RecursionError, struct.error, AMQPError)


class TolerantConnection(SelectConnection):
    """pika's connection, with three inner methods of it overridden or called (pika 1.4)."""

    def abort(self, error: Exception) -> None:
        """Give up the connection without a farewell, for a broker that does not read would not answer it."""
        if self._transport is not None:
            self._terminate_stream(error)

    def _read_frame(self) -> tuple[int, Frame | ProtocolHeader | None]:
        try:
            return super()._read_frame()
        except _UNDECODABLE:
            undecoded = header_without_table(self._frame_buffer)
            if undecoded is None:
                raise
            return undecoded

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        """The frames of a message in one piece: pika would make a system call for each."""
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


def header_without_table(buffer: bytes) -> tuple[int, Header] | None:
    """Decode the frame of a message's properties except for its table of headers.

    Args:
        buffer: it starts with one whole frame.

    Returns:
        How many bytes the frame takes, and the frame; None where it is another one, or has no such table.
    """
    kind, channel, size = struct.unpack_from(">BHL", buffer)
    frame = buffer[FRAME_HEADER_SIZE : FRAME_HEADER_SIZE + size]
    if kind != FRAME_HEADER:
        return None
    (body_size,) = struct.unpack_from(">Q", frame, 4)
    properties = frame[12:]
    (flags,) = struct.unpack_from(">H", properties)
    if not flags & BasicProperties.FLAG_HEADERS:
        return None
    start = 2
    for flag in (BasicProperties.FLAG_CONTENT_TYPE, BasicProperties.FLAG_CONTENT_ENCODING):  # they come first
        start += 1 + properties[start] if flags & flag else 0
    (length,) = struct.unpack_from(">I", properties, start)
    end = start + 4 + length
    rest = struct.pack(">H", flags & ~BasicProperties.FLAG_HEADERS) + properties[2:start] + properties[end:]
    decoded = BasicProperties().decode(rest)
    decoded.headers = {UNREADABLE: properties[start + 4 : end]}
    return FRAME_HEADER_SIZE + size + FRAME_END_SIZE, Header(channel, body_size, decoded)
