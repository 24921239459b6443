"""What was made last and may be asked for again: in the memory of one process, a few at most."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass
class _Place(Generic[Value]):
    """Where a value is, or is being made; `made` is empty until then."""

    lock: Lock = field(default_factory=Lock)
    made: list[Value] = field(default_factory=list)


@dataclass(frozen=True)
class Kept(Generic[Key, Value]):
    """The values used last; one thread makes one, and only who wants that one waits for it."""

    most: int = 8
    _held: OrderedDict[Key, _Place[Value]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not there; where that fails, the next one tries again."""
        with self._lock:
            place = self._held.setdefault(key, _Place())
            self._held.move_to_end(key)
            while len(self._held) > self.most:
                self._held.popitem(last=False)
        with place.lock:
            if not place.made:
                place.made.append(make())
            return place.made[0]
