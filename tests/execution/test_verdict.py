from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.execution.engine import Placement
from cv_pipelines.execution.leases import KILL_SECONDS, MARGIN_SECONDS, Lease, lost_after
from cv_pipelines.execution.verdict import NO_EVENT_SECONDS, Alive, Limits, Over, judge, newest, phase_of

LIMITS = Limits(wait=100, pull=200, begin=30)
REQUESTED = Lease(
    *("cv-1", "run", "step", 0, "requested", "image", 0, None, 60.0, None, None, None, "", "", ""),
    age=1.0,
    silent=None,
    ended=None,
)
RUNNING = replace(REQUESTED, state="running", node="w1", container="c", silent=2.0)


def ended(reason: str, code: int, ago: float = 1.0) -> Lease:
    return replace(RUNNING, state="ended", reason=reason, exit_code=code, ended=ago)


def test_a_step_that_is_heard_of_lives_whatever_the_engine_says() -> None:
    for placements in (None, [], [Placement("running", "w1")], [Placement("running", "w1", node_is_up=False)]):
        assert isinstance(judge(RUNNING, placements, 0, LIMITS), Alive)


def test_a_silent_step_is_lost_only_when_its_guard_has_killed_it_for_certain() -> None:
    until = RUNNING.lease_seconds + KILL_SECONDS + MARGIN_SECONDS
    assert lost_after(RUNNING.lease_seconds) == until

    assert isinstance(judge(replace(RUNNING, silent=until - 0.1), None, 0, LIMITS), Alive)
    verdict = judge(replace(RUNNING, silent=until + 0.1), None, 0, LIMITS)

    assert isinstance(verdict, Over)
    assert (verdict.source, verdict.code, verdict.silent_for) == ("infrastructure", "lost", until)
    assert "w1" in verdict.message


def test_a_container_that_ended_without_a_word_is_over_at_once_but_only_on_a_node_that_is_heard_of() -> None:
    gone = Placement("over", "w1", message="task: non-zero exit (137)", exit_code=137)

    verdict = judge(RUNNING, [gone], 0, LIMITS)
    assert isinstance(verdict, Over)
    assert verdict.code == "container_gone"
    assert "137" in verdict.message
    assert isinstance(judge(RUNNING, [replace(gone, node_is_up=False)], 0, LIMITS), Alive)
    assert isinstance(judge(RUNNING, [Placement("running", "w2"), gone], 0, LIMITS), Alive)


@pytest.mark.parametrize(
    ("reason", "code", "source"),
    [
        ("out_of_memory", 137, "resource"),
        ("timeout", 137, "resource"),
        ("stopped", 137, "infrastructure"),
        ("killed", 139, "infrastructure"),
        ("gpus_differ", 137, "infrastructure"),
        ("failed", 1, "internal"),
        ("guard_failed", 124, "internal"),
    ],
)
def test_how_a_step_ended_says_who_has_to_act(reason: str, code: int, source: str) -> None:
    verdict = judge(ended(reason, code), None, 0, LIMITS)

    assert isinstance(verdict, Over)
    assert (verdict.source, verdict.code) == (source, reason)


def test_an_end_that_looks_well_waits_for_the_steps_own_last_event() -> None:
    assert isinstance(judge(ended("completed", 0, NO_EVENT_SECONDS - 1), None, 0, LIMITS), Alive)
    verdict = judge(ended("completed", 0, NO_EVENT_SECONDS + 1), None, 0, LIMITS)
    assert isinstance(verdict, Over)
    assert verdict.code == "no_event"


@pytest.mark.parametrize(
    ("placement", "limit", "code", "source"),
    [
        (Placement("waiting", message="no suitable node"), LIMITS.wait, "no_place", "resource"),
        (Placement("preparing", "w1"), LIMITS.pull, "image_slow", "infrastructure"),
        (Placement("running", "w1"), LIMITS.begin, "guard_silent", "infrastructure"),
    ],
)
def test_every_phase_before_the_beginning_is_bounded(
    placement: Placement, limit: float, code: str, source: str
) -> None:
    assert isinstance(judge(replace(REQUESTED, age=limit - 1), [placement], limit - 1, LIMITS), Alive)
    verdict = judge(replace(REQUESTED, age=limit + 1), [placement], limit + 1, LIMITS)

    assert isinstance(verdict, Over)
    assert (verdict.code, verdict.source, verdict.unbegun) == (code, source, True)


def test_waiting_is_told_with_its_reason_and_is_not_tried_again() -> None:
    waiting = Placement("waiting", message="insufficient resources on 3 nodes")

    alive = judge(REQUESTED, [waiting], 1, LIMITS)
    over = judge(replace(REQUESTED, age=LIMITS.wait + 1), [waiting], 1, LIMITS)

    assert isinstance(alive, Alive)
    assert "insufficient resources on 3 nodes" in alive.note
    assert isinstance(over, Over)
    assert over.is_final


@pytest.mark.parametrize(
    ("placements", "whole"),
    [
        ([Placement("waiting")], LIMITS.wait),
        ([Placement("preparing", "w1")], LIMITS.wait + LIMITS.pull),
        ([Placement("running", "w1")], LIMITS.wait + LIMITS.pull + LIMITS.begin),
        ([], LIMITS.wait + LIMITS.pull + LIMITS.begin),
        (None, LIMITS.wait + LIMITS.pull + LIMITS.begin),
    ],
)
def test_a_run_worker_that_has_just_come_knows_how_long_a_step_has_not_begun(
    placements: list[Placement] | None, whole: float
) -> None:
    assert isinstance(judge(replace(REQUESTED, age=whole - 1), placements, 0.0, LIMITS), Alive)
    assert isinstance(judge(replace(REQUESTED, age=whole + 1), placements, 0.0, LIMITS), Over)


@pytest.mark.parametrize("placements", [None, []])
def test_an_engine_that_does_not_answer_or_has_nothing_is_waited_for_within_bounds(
    placements: list[Placement] | None,
) -> None:
    old = replace(REQUESTED, age=LIMITS.wait + LIMITS.pull)  # its image may have taken long

    assert isinstance(judge(old, placements, LIMITS.wait - 1, LIMITS), Alive)
    verdict = judge(old, placements, LIMITS.wait + 1, LIMITS)
    assert isinstance(verdict, Over)
    assert (verdict.code, verdict.unbegun) == ("not_launched", True)


def test_what_was_taken_back_is_over_only_when_it_is_dead_and_for_the_reason_on_record() -> None:
    never_begun = replace(REQUESTED, state="revoked", reason="no_place", source="resource")
    verdict = judge(never_begun, None, 0, LIMITS)
    assert isinstance(verdict, Over)
    assert (verdict.source, verdict.code, verdict.is_final) == ("resource", "no_place", True)

    lost = replace(RUNNING, state="revoked", reason="lost", source="infrastructure")
    assert isinstance(judge(lost, None, 0, LIMITS), Alive)
    for dead in (replace(lost, silent=lost_after(60) + 1), replace(lost, ended=1.0, exit_code=137)):
        verdict = judge(dead, None, 0, LIMITS)
        assert isinstance(verdict, Over)
        assert (verdict.source, verdict.code) == ("infrastructure", "lost")


def test_a_longer_lease_on_record_counts_whatever_the_settings_say_now() -> None:
    assert isinstance(judge(replace(RUNNING, lease_seconds=300.0, silent=200.0), None, 0, LIMITS), Alive)


def test_of_several_containers_the_newest_that_lives_counts() -> None:
    over, waiting = Placement("over", "w1"), Placement("waiting")

    assert newest([over, waiting]) == waiting
    assert newest([over]) == over
    assert [phase_of(one) for one in (None, [], [over, waiting])] == ["unanswered", "missing", "waiting"]


_PLACEMENTS = st.none() | st.lists(
    st.builds(
        Placement,
        state=st.sampled_from(["waiting", "preparing", "running", "over"]),
        node=st.sampled_from(["w1", "w2", None]),
        node_is_up=st.booleans(),
    ),
    max_size=3,
)


@given(st.floats(0, lost_after(60)), _PLACEMENTS, st.floats(0, 1e6))
def test_no_one_gives_up_a_guard_that_may_still_live(
    silent: float, placements: list[Placement] | None, seen_for: float
) -> None:
    verdict = judge(replace(RUNNING, silent=silent), placements, seen_for, LIMITS)

    if isinstance(verdict, Over):  # then its container was seen dead
        assert verdict.code == "container_gone"
        assert placements
        assert all(one.state == "over" and one.node_is_up for one in placements)
