"""What only real containers can show of steps on worker nodes."""

import os
import signal

from dagster import DagsterEventType, DagsterRunStatus

from tests.execution.step_facts import failure_of, leases
from tests.execution.worker_nodes import WorkerNodes
from tests.installation import wait_for
from tests.registry import stalled_registry


def test_what_a_step_prints_can_be_read_in_the_ui_though_it_ran_elsewhere(platform: WorkerNodes) -> None:
    run_id = platform.launch("one")

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    with platform.instance() as instance:
        (captured,) = instance.all_logs(run_id, of_type=DagsterEventType.LOGS_CAPTURED)
        assert captured.dagster_event is not None
        key = captured.dagster_event.logs_captured_data.file_key
        data = instance.compute_log_manager.get_log_data([run_id, "compute_logs", key])
        assert b"printed by plain" in (data.stdout or b"")


def test_out_of_memory_is_tried_with_half_and_then_with_more_memory(platform: WorkerNodes) -> None:
    run_id = platform.launch("out_of_memory", {"cv_test/gb": "4"})  # then 2, then 1: more than 0.6, less than 1.2

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert [words for *_, words in platform.marks(run_id)] == ["failures=0", "failures=1", "failures=2", "fed"]
    assert [one.reason for one in leases(platform, run_id)] == ["out_of_memory", "out_of_memory", "completed"]
    assert [one.memory_gb for one in leases(platform, run_id)] == [0.6, 0.6, 1.2]
    assert any("ran out of memory (its limit was 0.6 GB)" in one for one in platform.messages(run_id))


def test_an_image_that_nobody_has_is_told(platform: WorkerNodes) -> None:
    missing = f"{platform.swarm.address}:1/none@sha256:{'0' * 64}"

    run_id = platform.launch("one", {"cv/image": missing}, CV_SWARM_IMAGES=f"{platform.swarm.address}:1/*")
    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "Its container did not start" in message
    assert "none@sha256:000" in message
    assert facts == {"source": "infrastructure", "code": "container_failed"}


def test_a_run_is_cancelled_while_an_image_is_pulled_from_a_registry_that_stalls(platform: WorkerNodes) -> None:
    with stalled_registry(platform.swarm) as (registry, asked):
        image = f"{registry}/any@sha256:{'0' * 64}"
        run_id = platform.launch("one", {"cv/image": image}, CV_SWARM_IMAGES=f"{registry}/*")
        assert asked.wait(60)
        wait_for(lambda: any("prepares the container" in one for one in platform.messages(run_id)))

        platform.cancel(run_id)

        assert platform.leftovers() == []
        assert [one.state for one in leases(platform, run_id)] == ["revoked"]
    wait_for(lambda: platform.swarm.containers("cv.lease") == {})
    assert platform.marks(run_id) == []


def test_a_step_that_ended_while_nobody_watched_leaves_no_container_behind(platform: WorkerNodes) -> None:
    run_id = platform.launch("one", {"cv_test/seconds": "2"})
    platform.wait_for_mark(run_id, "plain", "began")
    platform.kill_worker(run_id)
    for guard in platform.guards(run_id):
        os.kill(guard, signal.SIGSTOP)  # so that it cannot say that its step has ended
    wait_for(lambda: platform.events(run_id, DagsterEventType.STEP_SUCCESS))

    platform.resume(run_id)

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert platform.leftovers() == []
    assert [one.reason for one in leases(platform, run_id)] == ["finished"]
    wait_for(lambda: platform.guards(run_id) == [])
