"""Telling of events: exchange, reply queues and webhooks, whichever of them an event is for."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Protocol
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError

from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.broker.publisher import NO_QUEUE, NOT_TAKEN, REFUSED, UNSENDABLE, publish
from cv_pipelines.broker.topology import STATUS_EXCHANGE
from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError
from cv_pipelines.failpoints import fail_point
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outbox import Delivery, Failure, Receiver, own, settle, take
from cv_pipelines.tasks.message import UNKNOWN, StatusMessage
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.states import FINAL
from cv_pipelines.tasks.webhooks import Answer, post

Publish = Callable[[Sequence[Outgoing]], list[str]]
"""Publishes; for each message the reason why it is not where it should be, empty where it is."""
AT_ONCE = 500
"""Events in memory together."""
QUIET_SECONDS = 30.0
"""After trouble with the broker nothing is announced for so long: who does tasks does not wait for it again."""
_CALLS = 16
"""Webhooks called at once."""
_SILENT = 5
"""Calls of a host without an answer, after which it is left alone until the next sweep."""


class Post(Protocol):
    """Posts a body to a webhook."""

    def __call__(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Never raises: what the receiver does is in the answer."""


_ON_BROKER: tuple[Receiver, ...] = ("exchange", "reply")
_OWN_FAULTS = (NO_QUEUE, NOT_TAKEN, UNSENDABLE, REFUSED)
"""How reasons begin for which neither the broker nor another event has to wait."""
_Answers = dict[int, dict[Receiver, Failure | None]]
_NO_BROKER = Failure("CV_RABBITMQ_URL is not set, so there is no broker to tell")


@dataclass
class _Quiet:
    """Until when, by time.monotonic(), nothing is announced."""

    until: float = 0.0


@dataclass(frozen=True)
class Courier:
    """What tells of events.

    Attributes:
        ledger: where they are.
        publish: to the broker; None where there is none.
        post: to webhooks.
    """

    ledger: Ledger
    publish: Publish | None
    post: Post
    _quiet: _Quiet = field(default_factory=_Quiet, init=False, repr=False, compare=False)

    def announce(self, ids: Sequence[int]) -> None:
        """Tell the broker of events that this process has just committed; what fails is swept up later."""
        if self.publish is None or time.monotonic() < self._quiet.until:
            return
        try:
            for start in range(0, len(ids), AT_ONCE):
                answers = self._publish(own(self.ledger, ids[start : start + AT_ONCE]))
                fail_point("outbox.published")
                settle(self.ledger, answers)
                if _trouble(answers):
                    self._quiet.until = time.monotonic() + QUIET_SECONDS
                    return
        except DBAPIError as error:
            if not is_outage(error):
                raise

    def sweep(self, seconds: float) -> int:
        """Tell of everything that is due; returns how many events were settled.

        Args:
            seconds: after which nothing more is begun.
        """
        ends = time.monotonic() + seconds
        settled, trouble = 0, None
        while time.monotonic() < ends and (rows := take(self.ledger, AT_ONCE)):
            answers = self._publish(rows, trouble)
            trouble = _trouble(answers)  # a broker that is away is asked once, and webhooks do not wait for it
            calls = self._call(rows, answers, ends)
            fail_point("outbox.published")
            settle(self.ledger, answers, calls)
            settled += len(rows)
        return settled

    def _publish(self, rows: Sequence[AnyRow], trouble: Failure | None = None) -> _Answers:
        """Tell exchange and reply queues, all at once; not where there is trouble with the broker."""
        answers: _Answers = {row.id: {} for row in rows}
        wanted = [(row, one) for row in rows for one in _ON_BROKER if one in row.pending]
        trouble = trouble or (_NO_BROKER if self.publish is None else None)
        if trouble or self.publish is None:
            failures: list[Failure | None] = [trouble] * len(wanted)
        else:
            failures = self._tell([_outgoing(row, one) for row, one in wanted])
        for (row, one), failure in zip(wanted, failures, strict=True):
            answers[row.id][one] = failure
        return answers

    def _tell(self, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Publish; a try counts where it failed for what is in the message or its receiver."""
        if self.publish is None or not messages:
            return []
        try:
            reasons = self.publish(messages)
        except CvError as error:  # a URL that is none: nothing of what is told, and none of our callers' business
            return [Failure(error.user_message, counts=False)] * len(messages)
        return [Failure(reason, counts=reason.startswith(_OWN_FAULTS)) if reason else None for reason in reasons]

    def _call(self, rows: Sequence[AnyRow], answers: _Answers, ends: float) -> list[Delivery]:
        """Call webhooks, some at once, each task's in their order; those that are not done in time stay open."""
        of_task: dict[object, list[AnyRow]] = {}
        for row in rows:
            if "webhook" in row.pending:
                of_task.setdefault((row.task_id, row.dead_letter_id), []).append(row)
        calls: list[Delivery] = []
        silent: Counter[str] = Counter()
        with ThreadPoolExecutor(_CALLS) as pool:  # a call ends within seconds, whatever the receiver does
            done = pool.map(lambda some: self._call_in_order(some, ends, silent), of_task.values())
        for row, answer in chain.from_iterable(done):
            calls.append(Delivery(row.id, row.reply["webhook"], answer.status, answer.error, answer.milliseconds))
            answers[row.id]["webhook"] = Failure(f"webhook: {answer.error}") if answer.error else None
        return calls

    def _call_in_order(
        self, rows: Sequence[AnyRow], ends: float, silent: "Counter[str]"
    ) -> list[tuple[AnyRow, Answer]]:
        """Call for the events of one task, up to the first that fails.

        Args:
            rows: the events.
            ends: when nothing more is begun.
            silent: how often hosts have not answered; one that is dead is not asked again and again, for
                others wait behind it.
        """
        made: list[tuple[AnyRow, Answer]] = []
        for row in rows:
            if time.monotonic() > ends:
                break
            url = row.reply["webhook"]
            host = urlsplit(url).netloc
            if silent[host] >= _SILENT:
                made.append((row, Answer(None, "its host did not answer other calls just now", 0)))
                break
            headers = {"X-Task-Id": row.task_id or "", "X-Event-Number": str(row.number)}
            answer = self.post(url, status_of(row), headers=headers)
            silent[host] += answer.status is None
            made.append((row, answer))
            if answer.error:
                break
        return made


def make_courier(ledger: Ledger, broker_url: str, seconds: float, secret: str, allow: tuple[str, ...]) -> Courier:
    """Whoever tells of the events of a ledger.

    Args:
        ledger: where they are.
        broker_url: empty: there is no broker.
        seconds: for the broker to take some of them.
        secret: signs what webhooks are told; empty: nothing is signed.
        allow: hosts and networks that webhooks may be at though they are not public.
    """
    to_broker = partial(publish, broker_url, seconds=seconds) if broker_url else None
    return Courier(ledger, to_broker, partial(post, secret=secret, allow=allow))


def status_of(row: AnyRow) -> bytes:
    """An event as the message that tells of it, `cv.status/v1`."""
    is_end = row.state in FINAL
    refusal = TaskError(source="input", code=row.code, message=row.refusal) if row.dead_letter_id else None
    message = StatusMessage(
        task_id=row.task_id,
        kind=row.kind or UNKNOWN,
        number=row.number,
        state=row.state,
        progress=row.progress,
        result=row.result if is_end else None,
        error=refusal or (row.error if is_end else None),
        at=row.created_at,
    )
    return message.model_dump_json().encode()


def _trouble(answers: _Answers) -> Failure | None:
    """What is wrong with the broker itself, if anything is."""
    failures = [
        failure for each in answers.values() for one, failure in each.items() if one in _ON_BROKER and failure
    ]
    return next((failure for failure in failures if not failure.counts), None)


def _outgoing(row: AnyRow, receiver: str) -> Outgoing:
    reply = row.reply or {}
    is_reply = receiver == "reply"
    subject = f"dead-letter-{row.dead_letter_id}" if row.dead_letter_id else row.task_id
    return Outgoing(
        exchange="" if is_reply else STATUS_EXCHANGE,
        routing_key=reply["reply_to"] if is_reply else f"{row.kind or UNKNOWN}.{row.state}",
        body=status_of(row),
        message_id=f"{subject}:{row.number}",
        correlation_id=reply.get("correlation_id") if is_reply else None,
        mandatory=is_reply,
    )
