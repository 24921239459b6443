"""Messages for the fault tests: some that succeed, fail, come twice, contradict each other, or are none."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import TASKS
from cv_pipelines.tasks.ledger.intake import Letter

REPLIES = "replies"


def sleep(name: str, seconds: float = 0.0, **fields: Any) -> Letter:
    return letter(name, "sleep", {"seconds": seconds}, **fields)


def letter(name: str, kind: str, params: dict[str, Any], **fields: Any) -> Letter:
    """A message that asks for a reply."""
    reply = {"reply_to": REPLIES, "correlation_id": f"about {name}"}
    shown = {"schema": "cv.task/v1", "task_id": name, "kind": kind, "params": params, "reply": reply, **fields}
    return Letter(json.dumps(shown).encode(), message_id=name)


def names(letters: list[Letter]) -> set[str]:
    return {str(one.message_id) for one in letters}


def mixture(chance: random.Random, count: int, prefix: str = "m") -> list[Letter]:
    """Messages of all sorts, in any order; `count` different tasks, and a few more messages."""
    letters = []
    for number in range(count):
        name = f"{prefix}-{number}"
        match number % 10:
            case 0:
                letters.append(letter(name, "fail", {"source": "input"}))
            case 1:
                letters.append(letter(name, "fail", {"source": "infrastructure", "times": 1}))
            case 2:
                letters += [sleep(name), sleep(name)]  # the same once more
            case 3:
                letters += [sleep(name), sleep(name, 0.25)]  # the same id, another body
            case 4:
                letters += [sleep(name), Letter(f"{prefix} is no task {number}".encode(), message_id=name)]
            case _:
                letters.append(sleep(name, round(chance.uniform(0, 0.5), 2), priority=chance.randrange(10)))
    chance.shuffle(letters)
    return letters


@dataclass
class Sender:
    """An upstream system: it remembers what the broker has confirmed, and sends the rest again when asked."""

    url: str
    confirmed: list[Letter] = field(default_factory=list)
    unconfirmed: list[Letter] = field(default_factory=list)

    def send(self, letters: list[Letter], seconds: float = 30) -> None:
        """Publish messages, and those that were not confirmed before."""
        wanted, self.unconfirmed = [*self.unconfirmed, *letters], []
        outgoing = [Outgoing("", TASKS, one.body, message_id=one.message_id, mandatory=True) for one in wanted]
        for one, why in zip(wanted, publish(self.url, outgoing, seconds), strict=True):
            (self.unconfirmed if why else self.confirmed).append(one)
