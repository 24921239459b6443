"""What the fields of messages may hold: text that every database takes, times with a zone, names, addresses."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS = range(1970, 9000)
"""Wide of the ends of Python's and the databases' calendars, which a change of zone may cross."""
_SHORT_BYTES = 255
"""Of a short string in AMQP 0-9-1."""


def legible(text: str, length: int = 1000) -> str:
    """Text of any origin as a person or a database can take it: cut, and without control characters.

    Args:
        text: may hold zero bytes, halves of characters and line ends.
        length: characters that are kept.
    """
    return _UNREADABLE.sub(_replacement, text[:length])


def _replacement(found: re.Match[str]) -> str:
    return " " if found[0] in "\t\n\r" else "\N{REPLACEMENT CHARACTER}"


def _moment(value: object) -> datetime:
    """A time of RFC 3339, or one of Python's, in UTC."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("moment", "there is no such time") from error
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise PydanticCustomError("moment", "write a time with its zone, as in 2030-01-31T12:00:00Z")
    if value.year not in _YEARS:
        raise PydanticCustomError("moment", "the year must be from 1970 to 8999")
    return value.astimezone(UTC)


def _short(value: str) -> str:
    if len(value.encode()) > _SHORT_BYTES:
        raise PydanticCustomError("too_long", "has more than 255 bytes")
    return value


def _cleaned(value: object) -> object:
    return legible(value) if isinstance(value, str) else value


TASK_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
DATASET_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""The names that `images.datasets` takes."""

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""No control characters; pydantic itself refuses halves of characters."""
CleanText = Annotated[str, BeforeValidator(_cleaned)]
"""Text of any origin, made legible; at most 1,000 characters are kept."""
ShortText = Annotated[Text, StringConstraints(min_length=1, max_length=_SHORT_BYTES), AfterValidator(_short)]
"""What fits into a short string of AMQP: at most 255 bytes of UTF-8."""
TaskId = Annotated[str, StringConstraints(pattern=TASK_ID)]
DatasetName = Annotated[str, StringConstraints(pattern=DATASET_NAME)]
WebUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2048)]
"""A URL as it is sent: ASCII, the rest of it encoded."""
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time with its zone, kept in UTC."""
WholeNumber = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""What every reader of JSON reads as the same number."""
