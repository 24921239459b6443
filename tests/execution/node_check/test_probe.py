"""Looks that go on at the same time, and do not hold each other up."""

import threading
import time

from cv_pipelines.errors import InputError
from cv_pipelines.execution.node_check.probe import Probe


def test_looks_go_on_at_the_same_time() -> None:
    barrier = threading.Barrier(3)  # nobody passes alone

    values = [probe.result().value for probe in [Probe(lambda: barrier.wait(5) >= 0, 5) for _ in range(3)]]

    assert values == [True, True, True]


def test_one_that_hangs_is_given_up_and_the_time_of_all_runs_from_their_beginning() -> None:
    for_ever = threading.Event()
    probes = [Probe(for_ever.wait, 0.3) for _ in range(10)]
    began = time.monotonic()

    measured = [probe.result() for probe in probes]

    assert time.monotonic() - began < 2
    assert {one.value for one in measured} == {None}
    assert measured[0].problem == "nothing came back within 0.3 s"
    for_ever.set()


def test_what_is_raised_is_what_was_found() -> None:
    def refuse() -> None:
        raise InputError("x", "There is no such bucket.")

    def fail() -> None:
        raise OSError(13, "Permission denied")

    def say_nothing() -> None:
        raise ValueError

    assert Probe(refuse).result().problem == "There is no such bucket."
    assert "Permission denied" in Probe(fail).result().problem
    assert Probe(say_nothing).result().problem == "ValueError"
