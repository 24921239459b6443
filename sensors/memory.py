"""What a tick of a sensor leaves to the next one: a model as JSON, in its cursor."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

Memory = TypeVar("Memory", bound=BaseModel)


def read_memory(kind: type[Memory], cursor: str | None) -> Memory:
    """From a cursor; one that somebody has spoiled is forgotten.

    Args:
        kind: of which every field has a value at first.
        cursor: of the last tick.
    """
    try:
        return kind.model_validate_json(cursor or "{}")
    except ValidationError:
        return kind()
