"""A broker that restarts, hangs up, runs out of memory, or delivers everything again and again."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cv_pipelines.tasks.ledger.outbox import undelivered
from tests.faults.task_messages import mixture, names, sleep
from tests.faults.task_platform import Platform
from tests.installation import wait_for
from tests.rabbitmq import RabbitMQ
from tests.tasks.ledger.invariants import unfinished


@contextmanager
def meanwhile(trouble: Callable[[], None], chance: random.Random) -> Iterator[None]:
    """Make trouble, again and again, while something goes on."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(chance.uniform(0, 0.5)):
            trouble()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def send_everything(platform: Platform) -> None:
    """As an upstream system does that sends again what nobody has confirmed."""
    platform.sender.send([])
    wait_for(lambda: not platform.sender.unconfirmed or platform.sender.send([]))


def test_connections_that_break_while_messages_come_and_go_lose_nothing(
    platform: Platform, rabbitmq: RabbitMQ, chance: random.Random
) -> None:
    platform.sender.send(mixture(chance, 600, "before"))
    process = platform.start()
    with meanwhile(rabbitmq.close_all_connections, chance):
        for number in range(5):
            platform.sender.send(mixture(chance, 100, f"during-{number}"), 10)
        wait_for(lambda: len(platform.states()) > 600)
    send_everything(platform)
    platform.settle()
    platform.check()
    assert process.poll() is None


def test_a_broker_that_restarts_while_messages_come_and_go_loses_nothing(
    platform: Platform, rabbitmq: RabbitMQ, chance: random.Random
) -> None:
    process = platform.start()
    platform.sender.send(mixture(chance, 300, "before"))
    upstream = threading.Thread(target=platform.sender.send, args=(mixture(chance, 300, "during"), 20))
    upstream.start()
    rabbitmq.stop()
    rabbitmq.start()
    upstream.join()
    send_everything(platform)
    platform.settle()
    platform.check()
    assert process.poll() is None


def test_a_broker_without_memory_holds_up_nothing_but_what_it_is_told(
    platform: Platform, rabbitmq: RabbitMQ, chance: random.Random
) -> None:
    platform.sender.send(mixture(chance, 50))
    rabbitmq.set_memory_alarm(True)
    try:
        process = platform.start()
        wait_for(lambda: platform.states() and not unfinished(platform.ledger.database))
        platform.witness.check()
        assert set(platform.states()) == names(platform.sender.confirmed)
        assert undelivered(platform.ledger)["open"] > 0
    finally:
        rabbitmq.set_memory_alarm(False)
    platform.settle()
    platform.check()
    assert process.poll() is None


def test_messages_that_come_five_times_in_any_order_are_tasks_once(
    platform: Platform, chance: random.Random
) -> None:
    letters = [*mixture(chance, 60), *(sleep(f"s-{number}") for number in range(60))]
    first, rest = letters[:60], [one for one in letters for _ in range(5)]
    chance.shuffle(rest)
    platform.sender.send(first)
    platform.start()
    platform.start("tick", "sweep")
    for start in range(0, len(rest), 100):  # while those that came before are worked on, and after
        platform.sender.send(rest[start : start + 100])
    platform.settle()
    platform.check()
    assert set(platform.states()) == names(letters)
    slept = [row.attempts for row in platform.tasks() if row.kind == "sleep"]
    assert set(slept) == {1}
