"""Messages from RabbitMQ into the ledger on Postgres, against a bare loop that only takes them; and its memory."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pika

from benchmarks.measure import Figure, figure, seconds
from benchmarks.task_servers import message, prepare, send, task_servers
from cv_pipelines.broker.consumer import LIST
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.broker.topology import TASKS
from cv_pipelines.database.engine import open_database
from cv_pipelines.settings import ROOT
from cv_pipelines.tasks.collection import collect
from cv_pipelines.tasks.delivery import Courier
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.webhooks import post
from tests.rabbitmq import RabbitMQ
from tests.servers import Postgres

MESSAGES = 20_000
BYTES = 1000
SOME, MANY = 20_000, 100_000
MOST, TAKE_SECONDS = 20_000, 2.0
"""What the sensor takes in a tick; its constants, without loading Dagster for them."""
TICK_SECONDS = 5.0
"""Ticks do not begin more often."""
_ROOM = 1_000_000
_PUBLISH_SECONDS = 10.0


def measure(rounds: int) -> list[Figure]:
    """At least 0.3 times as many messages a second as without a ledger; memory that does not grow."""
    with task_servers() as (broker, postgres):
        return [_rate(broker, postgres, rounds), _memory(broker, postgres)]


def _rate(broker: RabbitMQ, postgres: Postgres, rounds: int) -> Figure:
    found = [_round(broker.new_vhost(), postgres.new_database()) for _ in range(rounds)]
    bare, ours, ticks = (statistics.median(column) for column in zip(*found, strict=True))
    detail = f"{ours:,.0f}/s against {bare:,.0f}/s; by ticks, events told as well: {ticks:,.0f}/s"
    ratios = [ours / bare for bare, ours, _ in found]
    return figure("messages of 1 kB into the ledger / consumed and acked by bare pika", ratios, 0.3, False, detail)


def _round(url: str, database: str) -> tuple[float, float, float]:
    """Messages a second of a bare loop, of the intake called back to back, and of a tick every five seconds."""
    prepare(url)
    ledger = Ledger(open_database(database), has_broker=True)
    send(url, list(_messages("bare", MESSAGES)))
    bare = seconds(lambda: _consume(url, MESSAGES))
    send(url, list(_messages("ours", MESSAGES)))
    ours = seconds(lambda: _collect(ledger, url, MESSAGES))
    send(url, list(_messages("tick", MESSAGES)))
    taken: list[int] = []
    tick = seconds(lambda: taken.append(_tick(ledger, url)))
    ledger.database.dispose()
    return MESSAGES / bare, MESSAGES / ours, taken[0] / max(TICK_SECONDS, tick)


def _consume(url: str, count: int) -> None:
    """Take messages and acknowledge each, with as many sent ahead as the intake asks for."""
    left = count

    def got(channel: Any, delivery: Any, _: Any, __: bytes) -> None:
        nonlocal left
        channel.basic_ack(delivery.delivery_tag)
        left -= 1
        if not left:
            channel.stop_consuming()

    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=2 * LIST)
        channel.basic_consume(TASKS, got)
        channel.start_consuming()


def _collect(ledger: Ledger, url: str, count: int) -> None:
    while count > 0:
        got = collect(ledger, url, MOST, TAKE_SECONDS, _ROOM)
        if got.refused or got.duplicates or not got.accepted:
            raise SystemExit(f"The benchmark's messages were not taken: {got}")
        count -= got.accepted


def _tick(ledger: Ledger, url: str) -> int:
    """What the sensor does with messages in a tick; returns how many it took."""
    got = collect(ledger, url, MOST, TAKE_SECONDS, _ROOM)
    Courier(ledger, partial(publish, url, seconds=_PUBLISH_SECONDS), partial(post, secret="")).announce(got.events)
    return got.accepted


def _messages(prefix: str, count: int) -> Iterator[Outgoing]:
    """Valid tasks of BYTES bytes each: some images in a bucket."""
    for number in range(count):
        name = f"{prefix}-{number:06}"
        uris = [f"s3://camera-{number % 40:02}/2026/11/{name}/{place:02}.jpg" for place in range(15)]
        params = {"dataset": "data", "uris": uris}
        padding = BYTES - len(message(name, "classify_images", params).body)
        uris[-1] = uris[-1].replace("s3://", f"s3://{'x' * padding}", 1)
        yield message(name, "classify_images", params)


def _memory(broker: RabbitMQ, postgres: Postgres) -> Figure:
    """Memory of a process that ticks, after some messages and after many."""
    url = broker.new_vhost()
    prepare(url)
    send(url, list(_messages("memory", MANY)))
    command = [sys.executable, "-m", "benchmarks.task_intake", url, postgres.new_database()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    some, many = json.loads(done.stdout)
    detail = f"{many:,.0f} MiB after {MANY:,} messages, {some:,.0f} MiB after {SOME:,}"
    return figure("memory of the intake, five times the messages", [many / some], 1.05, True, detail)


def _resident(url: str, database: str) -> list[float]:
    """Memory in MiB after SOME and after MANY messages, taken by tick after tick."""
    ledger = Ledger(open_database(database), has_broker=True)
    taken, found = 0, []
    for goal in (SOME, MANY):
        while taken < goal:
            taken += _tick(ledger, url)
        status = Path("/proc/self/status").read_text()
        found.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
    return found


if __name__ == "__main__":
    print(json.dumps(_resident(*sys.argv[1:])))
