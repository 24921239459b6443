"""What holds of steps on worker nodes whatever the engine: a real swarm, and one of plain processes."""

from dagster import DagsterRunStatus

from tests.execution.step_facts import failure_of, leases, retries
from tests.execution.worker_nodes import CANCEL_SECONDS, WorkerNodes
from tests.installation import wait_for


def test_two_gpu_steps_run_at_once_on_two_nodes_and_the_third_waits_visibly(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("three_gpus", {"cv_test/seconds": "10"})

    assert anywhere.wait(run_id).status == DagsterRunStatus.SUCCESS
    marks = anywhere.marks(run_id)
    assert [words for *_, words in marks[:2]] == ["began", "began"]
    assert {node for _, _, node, _, _ in marks[:2]} == {"w1", "w2"}
    assert {gpus for _, _, _, gpus, _ in marks} == {"0"}
    assert [words for *_, words in marks].count("ended") == 3
    messages = anywhere.messages(run_id)
    assert any("Waiting for a node: no suitable node" in one for one in messages)
    assert sum(one.startswith("Running on node w") for one in messages) == 3
    assert all(
        one.attempt == 0 and one.state == "ended" and one.reason == "completed" for one in leases(anywhere, run_id)
    )
    assert anywhere.leftovers() == []


def test_a_step_that_dies_is_tried_once_more_and_told_with_its_last_lines(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("dying")

    assert anywhere.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(anywhere, run_id)
    assert "exit code 7" in message
    assert facts == {"source": "internal", "code": "failed"}
    assert retries(anywhere, run_id) == 1
    ends = [one for one in anywhere.facts(run_id) if "exit_code" in one]
    assert len(ends) == 2
    assert all(one["exit_code"] == 7 and "last words" in str(one["last_lines"]) for one in ends)
    assert {str(one["node"]) for one in ends} <= {"mgr", "w1", "w2"}
    assert ["plain", "ended"] in [[op, words] for op, _, _, _, words in anywhere.marks(run_id)]


def test_shares_of_work_are_steps_of_their_own_and_a_lost_one_is_done_again_alone(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("shares")

    assert anywhere.wait(run_id).status == DagsterRunStatus.SUCCESS
    words = [words for *_, words in anywhere.marks(run_id)]
    assert words[-1] == "merged"
    assert sorted(words[:-1]) == sorted(
        [f"{what} {share}" for what in ("began", "ended") for share in ("0000", "0001", "0002")] + ["began 0001"]
    )
    assert retries(anywhere, run_id) == 1


def test_a_callers_mistake_is_not_tried_again(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("refusing")

    assert anywhere.wait(run_id).status == DagsterRunStatus.FAILURE
    assert retries(anywhere, run_id) == 0
    assert len(anywhere.marks(run_id)) == 1


def test_a_step_that_no_node_could_ever_take_fails_at_once(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("one_gpu", {"cv/gpus": "5"})

    assert anywhere.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(anywhere, run_id)
    assert "No node offers 5 GPUs (the most on a node: 1)" in message
    assert facts == {"source": "input", "code": "no_such_node"}
    assert retries(anywhere, run_id) == 0


def test_a_wait_for_a_gpu_is_bounded(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("three_gpus", {"cv_test/seconds": "8", "cv/max_wait_s": "1"})

    assert anywhere.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(anywhere, run_id)
    assert "for a node: no suitable node (insufficient resources" in message
    assert facts == {"source": "resource", "code": "no_place"}
    assert retries(anywhere, run_id) == 0
    assert [words for *_, words in anywhere.marks(run_id)].count("ended") == 2, "its neighbours go on"


def test_a_step_that_takes_too_long_is_killed_and_told(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("one", {"cv/timeout_s": "2", "cv_test/seconds": "60"})

    assert anywhere.wait(run_id).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(anywhere, run_id)
    assert "cv/timeout_s" in message
    assert facts == {"source": "resource", "code": "timeout"}
    assert [one.reason for one in leases(anywhere, run_id)] == ["timeout"] * 2
    assert "ended" not in [words for *_, words in anywhere.marks(run_id)]


def test_cancelling_ends_a_step_that_runs_and_one_that_waits(anywhere: WorkerNodes) -> None:
    run_id = anywhere.launch("three_gpus", {"cv_test/seconds": "60"})
    anywhere.wait_for_mark(run_id, "gpu_0", "began")
    wait_for(lambda: any("Waiting for a node" in one for one in anywhere.messages(run_id)))

    anywhere.cancel(run_id)

    wait_for(lambda: anywhere.guards(run_id) == [], CANCEL_SECONDS)
    assert anywhere.leftovers() == []
    assert {one.state for one in leases(anywhere, run_id)} == {"revoked"}
    assert "ended" not in [words for *_, words in anywhere.marks(run_id)]


def test_an_image_that_is_not_allowed_is_refused(anywhere: WorkerNodes) -> None:
    refused = anywhere.launch("one", {"cv/image": "evil:latest"})
    assert anywhere.wait(refused).status == DagsterRunStatus.FAILURE
    message, facts = failure_of(anywhere, refused)
    assert "asks for the image 'evil:latest', which CV_SWARM_IMAGES does not allow" in message
    assert facts["source"] == "input"
    assert retries(anywhere, refused) == 0
