"""Spans of time as people write them: 90s, 15m, 2h, 1d12h."""

import re
from typing import Any

import click

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"(?:[0-9]{1,10}(?:\.[0-9]{1,3})?[smhdw])+")
_PART = re.compile(r"([0-9.]+)([smhdw])")
_MOST = 36_500 * _UNITS["d"]
"""A hundred years: no database counts for ever."""


def seconds_of(text: str) -> float:
    """Seconds of a span such as `90s` or `1h30m`.

    Raises:
        ValueError: it is none, or longer than 100 years.
    """
    if not _SPAN.fullmatch(text):
        raise ValueError(f"'{text}' is no span of time: write 90s, 15m, 2h, 1d12h or 1w")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > _MOST:
        raise ValueError(f"'{text}' is longer than 100 years")
    return seconds


def span_of(seconds: float) -> str:
    """Seconds as a span that `seconds_of` reads."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


class Age(click.ParamType[float]):
    """A span of time as the value of an option, in seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it, or say what it should have been."""
        try:
            return float(value) if isinstance(value, int | float) else seconds_of(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


AGE = Age()
