"""Which frames of a video are wanted."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cv_pipelines.errors import InputError


@dataclass(frozen=True)
class Sampling:
    """Every n-th frame, or so many a second.

    Attributes:
        every: 1 is every frame; 0: `rate` decides.
        rate: frames per second; of the frames there are, the first one of each period is taken.
    """

    every: int = 0
    rate: Fraction = Fraction(1)

    def choose(self, times: Sequence[Fraction]) -> Iterator[int]:
        """Positions of the frames wanted.

        Args:
            times: of all frames in seconds, rising.
        """
        if self.every:
            yield from range(0, len(times), self.every)
            return
        due = 0
        for place, time in enumerate(times):
            period = math.floor((time - times[0]) * self.rate)
            if period >= due:
                yield place
                due = period + 1


ONE_A_SECOND = Sampling()


def parse_sampling(options: str) -> Sampling:
    """Read `every=10`, `rate=2`, `rate=1/3`; nothing is one frame a second.

    Raises:
        InputError: it is none of these.
    """
    name, _, value = options.partition("=")
    try:
        if not options:
            return ONE_A_SECOND
        if name == "every" and int(value) > 0:
            return Sampling(every=int(value))
        if name == "rate" and Fraction(value) > 0:
            return Sampling(rate=Fraction(value))
    except (ValueError, ZeroDivisionError):
        pass
    message = f"'#{options}' does not say which frames: write #every=10 (each tenth) or #rate=2 (two a second)."
    raise InputError("video_sampling", message)
