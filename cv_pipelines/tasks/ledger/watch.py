"""Whoever was away cannot say who fell silent meanwhile: silence counts from when somebody has been listening."""

from pydantic import BaseModel, FiniteFloat, ValidationError


class Watch(BaseModel):
    """What a tick that looks at runs leaves to the next one; seconds since 1970 by the database's clock.

    Attributes:
        last: the end of the last tick.
        since: from when on ticks have come without a gap.
    """

    last: FiniteFloat = 0.0
    since: FiniteFloat = 0.0

    @classmethod
    def read(cls, cursor: str | None) -> "Watch":
        """From a cursor; one that somebody has spoiled is forgotten."""
        try:
            return cls.model_validate_json(cursor or "{}")
        except ValidationError:
            return cls()

    def resume(self, now: float, pause: float) -> "Watch":
        """The watch at the beginning of a tick: it begins anew behind a gap, and where the clock was set back.

        Args:
            now: by the database's clock.
            pause: seconds between two ticks that are no gap; half of the silence after which a run is lost, so
                that in the other half enough is heard of those that live.
        """
        unbroken = self.since <= self.last <= now <= self.last + pause
        return Watch(last=now, since=self.since if unbroken else now)

    def end(self, now: float) -> "Watch":
        """The watch at the end of a tick: one that takes long is no gap."""
        return Watch(last=now, since=self.since)
