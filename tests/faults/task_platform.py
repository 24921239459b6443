"""Ledger, broker and processes of one fault test, and what must hold after it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cv_pipelines.broker.connection import open_connection
from cv_pipelines.broker.consumer import drain
from cv_pipelines.broker.messages import Message
from cv_pipelines.broker.topology import STATUS_EXCHANGE, declare
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.task_tables import tasks
from cv_pipelines.settings import ROOT
from cv_pipelines.tasks.ledger.dead_letters import list_letters
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.ledger.outbox import undelivered
from cv_pipelines.tasks.states import FINAL
from tests.faults.task_messages import REPLIES, Sender
from tests.installation import PATIENCE
from tests.tasks.ledger.invariants import Witness, lost, unfinished, violations
from tests.tasks.ledger.messages import pass_time

LISTENER = "listener"
LOST_AFTER = 2.0
"""Seconds; as short as a loaded machine allows."""


@dataclass
class Platform:
    """A ledger and a broker of a test's own, and processes that stand in for daemon and runs.

    Attributes:
        database_url, broker_url: where they are.
        folder: of the processes' output.
    """

    database_url: str
    broker_url: str
    folder: Path
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(open_database(self.database_url), has_broker=True)

    @cached_property
    def sender(self) -> Sender:
        return Sender(self.broker_url)

    @cached_property
    def witness(self) -> Witness:
        return Witness(self.ledger.database)

    def prepare(self) -> None:
        """Make the tables, the queues, and those of the callers."""
        assert unfinished(self.ledger.database) == []
        with open_connection(self.broker_url, "test") as connection:
            channel = connection.channel()
            declare(channel)
            for queue in (REPLIES, LISTENER):
                channel.queue_declare(queue, durable=True)
            channel.queue_bind(LISTENER, STATUS_EXCHANGE, "#")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CV_", "DAGSTER_"))}
        own = {
            "CV_STATE": str(self.folder),
            "CV_DATABASE_URL": self.database_url,
            "CV_RABBITMQ_URL": self.broker_url,
            "CV_LOST_AFTER": str(LOST_AFTER),
        }
        return {**kept, **own}

    def start(self, *roles: str, fail_at: str = "") -> "subprocess.Popen[bytes]":
        """Start a process (tests/faults/task_process.py); all roles where none is named."""
        command = [sys.executable, "-m", "tests.faults.task_process", *(roles or ("tick", "work", "sweep"))]
        with (self.folder / f"process-{len(self.processes)}.log").open("wb") as log:
            environment = {**self.environment, "CV_FAILPOINTS": fail_at}
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def output(self) -> str:
        """What all processes have printed."""
        logs = sorted(self.folder.glob("process-*.log"))
        return "".join(f"--- {path.stem}\n{path.read_text()}" for path in logs)

    def end(self, *processes: "subprocess.Popen[bytes]") -> None:
        """Kill processes, all where none is named, also those that are stopped."""
        for process in processes or self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def settle(self) -> None:
        """Wait until every message is accounted for, every task final and every event told; check all the while.

        Waiting for retries and for the sweep is cut short.
        """
        deadline = time.monotonic() + PATIENCE
        while left := self.unsettled():
            self.witness.check()
            assert time.monotonic() < deadline, f"after {PATIENCE} s: {left}\n{self.output()}"
            time.sleep(0.3)
            pass_time(self.ledger)
        self.witness.check()

    def unsettled(self) -> list[Any]:
        """What is still to be done."""
        database = self.ledger.database
        missing = [one.message_id for one in lost(database, self.sender.confirmed)]
        running = unfinished(database)
        open_events = undelivered(self.ledger)["open"]  # asked last: a task that has just ended has one
        return [*missing, *running, *([f"{open_events} events"] if open_events else [])]

    def check(self) -> None:
        """What must hold once everything is settled."""
        assert violations(self.ledger.database) == []
        assert lost(self.ledger.database, self.sender.confirmed) == []
        assert undelivered(self.ledger) == {"open": 0, "abandoned": 0}
        rows = {row.id: row for row in self.tasks()}
        (replies, answered), (told, refused) = self._told(REPLIES), self._told(LISTENER)
        letters = list_letters(self.ledger, state=None, limit=10_000)
        assert refused == {(row.task_id, row.code) for row in letters}
        assert answered == {(row.task_id, row.code) for row in letters if row.reply}
        assert set(replies) == {(row.id, row.last_event) for row in rows.values()}
        assert set(told) == {(row.id, number + 1) for row in rows.values() for number in range(row.last_event)}
        for (name, number), body in replies.items():
            assert body == told[name, number]
            assert (body["state"], body["result"]) == (rows[name].state, rows[name].result)
            assert body["state"] in FINAL

    def tasks(self) -> Sequence[AnyRow]:
        with self.ledger.database.connect() as connection:
            return connection.execute(select(tasks).order_by(tasks.c.id)).all()

    def states(self) -> dict[str, str]:
        return {row.id: row.state for row in self.tasks()}

    def _told(self, queue: str) -> tuple[dict[tuple[str, int], dict[str, Any]], set[tuple[str, str]]]:
        """Statuses by task and number; one that came more than once has said the same every time.

        Returns:
            These, and of refused messages the task's id and why.
        """
        found: list[Message] = []
        while drain(self.broker_url, queue, found.extend, seconds=30, idle=0.3):
            pass
        bodies: dict[tuple[str, int], set[bytes]] = defaultdict(set)
        refused: set[tuple[str, str]] = set()
        for message in found:
            status = json.loads(message.body)
            if status["state"] == "rejected":
                refused.add((status["task_id"], status["error"]["code"]))
            else:
                bodies[status["task_id"], status["number"]].add(message.body)
            if queue == REPLIES:
                assert message.correlation_id == f"about {status['task_id']}"
        assert {key: len(some) for key, some in bodies.items() if len(some) > 1} == {}
        return {key: json.loads(next(iter(some))) for key, some in bodies.items()}, refused
