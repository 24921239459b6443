"""Steps on a real swarm, one job after the other; what happens when machines fail is in tests/faults."""

from dagster import DagsterEventType, DagsterRunStatus

from cv_pipelines.execution.leases import Lease, leases_of
from tests.execution.worker_nodes import WorkerNodes
from tests.installation import wait_for

FAILURE = DagsterEventType.STEP_FAILURE
RETRY = DagsterEventType.STEP_UP_FOR_RETRY


def failure_of(platform: WorkerNodes, run_id: str) -> tuple[str, dict[str, object]]:
    """Message and facts of the final failure of a run's only step that failed."""
    (entry,) = platform.events(run_id, FAILURE)
    assert entry.dagster_event is not None
    data = entry.dagster_event.step_failure_data
    facts = data.user_failure_data.metadata if data.user_failure_data else {}
    assert data.error is not None
    return data.error.message, {name: value.value for name, value in facts.items()}


def leases(platform: WorkerNodes, run_id: str) -> list[Lease]:
    return sorted(leases_of(platform.database, run_id).values(), key=lambda one: (one.step_key, one.attempt))


def retries(platform: WorkerNodes, run_id: str) -> int:
    return len(platform.events(run_id, RETRY))


def test_two_gpu_steps_run_at_once_on_two_nodes_and_the_third_waits_visibly(platform: WorkerNodes) -> None:
    run_id = platform.launch("three_gpus", {"cv_test/seconds": "4"})

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    marks = platform.marks(run_id)
    assert [words for *_, words in marks[:2]] == ["began", "began"]
    assert {node for _, _, node, _, _ in marks[:2]} == {"w1", "w2"}
    assert {gpus for _, _, _, gpus, _ in marks} == {"0"}
    assert [words for *_, words in marks].count("ended") == 3
    messages = platform.messages(run_id)
    assert any("Waiting for a node: no suitable node" in one for one in messages)
    assert sum(one.startswith("Running on node w") for one in messages) == 3
    assert all(
        one.attempt == 0 and one.state == "ended" and one.reason == "completed" for one in leases(platform, run_id)
    )
    assert platform.leftovers() == []


def test_what_a_step_prints_can_be_read_in_the_ui_though_it_ran_elsewhere(platform: WorkerNodes) -> None:
    run_id = platform.launch("one")

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    with platform.instance() as instance:
        (captured,) = instance.all_logs(run_id, of_type=DagsterEventType.LOGS_CAPTURED)
        assert captured.dagster_event is not None
        key = captured.dagster_event.logs_captured_data.file_key
        data = instance.compute_log_manager.get_log_data([run_id, "compute_logs", key])
        assert b"printed by plain" in (data.stdout or b"")


def test_a_step_that_dies_is_tried_once_more_and_told_with_its_last_lines(platform: WorkerNodes) -> None:
    run_id = platform.launch("dying")

    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "exit code 7" in message
    assert facts == {"source": "internal", "code": "failed"}
    assert retries(platform, run_id) == 1
    told = [one.dagster_event for one in platform.events(run_id, DagsterEventType.ENGINE_EVENT)]
    shown = [event.engine_event_data.metadata for event in told if event is not None]
    ends = [one for one in shown if "exit_code" in one]
    assert len(ends) == 2
    assert all(one["exit_code"].value == 7 and "last words" in str(one["last_lines"].value) for one in ends)
    assert {str(one["node"].value) for one in ends} <= {"mgr", "w1", "w2"}
    assert ["plain", "ended"] in [[op, words] for op, _, _, _, words in platform.marks(run_id)]


def test_a_callers_mistake_is_not_tried_again(platform: WorkerNodes) -> None:
    run_id = platform.launch("refusing")

    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    assert retries(platform, run_id) == 0
    assert len(platform.marks(run_id)) == 1


def test_out_of_memory_is_tried_with_half_and_then_with_more_memory(platform: WorkerNodes) -> None:
    run_id = platform.launch("out_of_memory", {"cv_test/gb": "4"})  # then 2, then 1: more than 0.6, less than 1.2

    assert platform.wait(run_id).status == DagsterRunStatus.SUCCESS
    assert [words for *_, words in platform.marks(run_id)] == ["failures=0", "failures=1", "failures=2", "fed"]
    assert [one.reason for one in leases(platform, run_id)] == ["out_of_memory", "out_of_memory", "completed"]
    assert [one.memory_gb for one in leases(platform, run_id)] == [0.6, 0.6, 1.2]
    assert any("ran out of memory (its limit was 0.6 GB)" in one for one in platform.messages(run_id))


def test_a_step_that_no_node_could_ever_take_fails_at_once(platform: WorkerNodes) -> None:
    run_id = platform.launch("one_gpu", {"cv/gpus": "5"})

    assert platform.wait(run_id, 30).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "No node offers 5 GPUs (the most on a node: 1)" in message
    assert facts == {"source": "input", "code": "no_such_node"}
    assert retries(platform, run_id) == 0


def test_a_wait_for_a_gpu_is_bounded(platform: WorkerNodes) -> None:
    busy = platform.launch("three_gpus", {"cv_test/seconds": "25"})
    platform.wait_for_mark(busy, "gpu_0", "began")
    run_id = platform.launch("one_gpu", {"cv/max_wait_s": "1"})

    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "for a node: no suitable node (insufficient resources" in message
    assert facts == {"source": "resource", "code": "no_place"}
    platform.cancel(busy)


def test_a_step_that_takes_too_long_is_killed_and_told(platform: WorkerNodes) -> None:
    run_id = platform.launch("one", {"cv/timeout_s": "2", "cv_test/seconds": "60"})

    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "cv/timeout_s" in message
    assert facts == {"source": "resource", "code": "timeout"}
    assert [one.reason for one in leases(platform, run_id)] == ["timeout"] * 3
    assert "ended" not in [words for *_, words in platform.marks(run_id)]


def test_an_image_that_nobody_has_is_told_and_one_that_is_not_allowed_is_refused(platform: WorkerNodes) -> None:
    missing = f"{platform.swarm.address}:1/none@sha256:{'0' * 64}"

    run_id = platform.launch("one", {"cv/image": missing}, CV_SWARM_IMAGES=f"{platform.swarm.address}:1/*")
    assert platform.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, run_id)
    assert "Its container did not start" in message
    assert "none@sha256:000" in message
    assert facts == {"source": "infrastructure", "code": "container_failed"}

    refused = platform.launch("one", {"cv/image": "evil:latest"})
    assert platform.wait(refused, 30).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(platform, refused)
    assert "asks for the image 'evil:latest', which CV_SWARM_IMAGES does not allow" in message
    assert facts["source"] == "input"
    assert retries(platform, refused) == 0


def test_cancelling_ends_a_step_that_runs_and_one_that_waits(platform: WorkerNodes) -> None:
    run_id = platform.launch("three_gpus", {"cv_test/seconds": "60"})
    platform.wait_for_mark(run_id, "gpu_0", "began")
    wait_for(lambda: any("Waiting for a node" in one for one in platform.messages(run_id)), 20)

    platform.cancel(run_id)

    wait_for(lambda: platform.run_containers() == 0, 20)
    assert platform.leftovers() == []
    assert {one.state for one in leases(platform, run_id)} == {"revoked"}
    assert "ended" not in [words for *_, words in platform.marks(run_id)]
