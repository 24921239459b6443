"""Times in a video as people write them."""

import re
from fractions import Fraction

from cv_pipelines.errors import InputError

_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,12})?)", re.ASCII)
_RATIO = re.compile(r"(\d{1,15})/([1-9]\d{0,14})", re.ASCII)


def parse_time(text: str) -> Fraction:
    """Seconds of `12.5`, `1:02:03.5` (hours, minutes, seconds), `2:30` or `1001/30`, exactly.

    Raises:
        InputError: code `bad_time`: it is none of these.
    """
    if ratio := _RATIO.fullmatch(text):
        return Fraction(int(ratio[1]), int(ratio[2]))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups()
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)
    message = f"'{text}' is no time in a video: write seconds (12.5 or 1001/30), or 1:02:03.5."
    raise InputError("bad_time", message)
