"""The sensor of tasks, tick by tick: an instance, a ledger and runs of the test's own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    JobDefinition,
    RunRequest,
    SensorDefinition,
    SensorResult,
    build_sensor_context,
)
from dagster._core.events.log import EventLogEntry
from sqlalchemy import text

from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import AnyRow
from cv_pipelines.tasks.ledger.queries import events_of, find_task
from cv_pipelines.tasks.ledger.watch import Watch
from cv_pipelines.tasks.ledger.work import begin
from cv_pipelines.videos.archive import count_archive, video_key
from resources.database import DatabaseResource
from resources.tasks import TasksResource
from sensors.tasks import make_task_sensor

HOUR = 3600.0


@dataclass
class World:
    """Tasks, their sensor, and an instance on which its requests become runs."""

    resource: TasksResource
    instance: DagsterInstance
    sensor: SensorDefinition
    jobs: dict[str, JobDefinition]
    watch: Watch

    def submit(self, name: str, kind: str = "sleep", /, priority: int = 4, **params: Any) -> None:
        task = {"schema": "cv.task/v1", "task_id": name, "kind": kind, "priority": priority}
        given = params or {"seconds": 0.1}
        body = json.dumps(task | {"params": given}).encode()
        assert receive(self.resource.ledger(), [Letter(body)]).accepted == [name]

    def tick(self) -> list[RunRequest]:
        """What the sensor asks for now."""
        with build_sensor_context(
            self.instance, cursor=self.watch.model_dump_json(), resources={"tasks": self.resource}
        ) as context:
            result = self.sensor(context)
        assert isinstance(result, SensorResult)
        self.watch = Watch.read(result.cursor)
        return list(result.run_requests or [])

    def create(self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.STARTED) -> DagsterRun:
        """The run that a request asks for, recorded and not executed."""
        assert request.job_name is not None
        partition = {"dagster/partition": request.partition_key} if request.partition_key else {}
        tags = {**request.tags, **partition}
        return self.instance.create_run_for_job(
            self.jobs[request.job_name], run_config=request.run_config, tags=tags, status=status
        )

    def execute(self, request: RunRequest) -> str:
        """Execute what a request asks for, here; returns the run's id."""
        assert request.job_name is not None
        job = self.jobs[request.job_name]
        done = job.execute_in_process(
            instance=self.instance,
            tags=dict(request.tags),
            resources={"tasks": self.resource},
            raise_on_error=False,
        )
        return done.run_id

    def task(self, name: str) -> AnyRow:
        return find_task(self.resource.ledger(), name)

    def states(self, name: str) -> list[str]:
        return [event.state for event in events_of(self.resource.ledger(), name)]


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    from cv_pipelines.definitions import defs
    from cv_pipelines.jobs import FOR_TASKS

    resource = TasksResource(database=DatabaseResource(url=database_url), lost_after=3.0)
    names = [job.name for job in FOR_TASKS]
    jobs = {name: defs.resolve_job_def(name) for name in names}
    with DagsterInstance.ephemeral() as instance:
        watch = Watch(last=time.time(), since=time.time() - HOUR)
        yield World(resource, instance, make_task_sensor(FOR_TASKS), jobs, watch)


def test_many_tasks_become_one_run_at_once_and_end_with_it(world: World) -> None:
    for number in range(20):
        world.submit(f"t{number}", seconds=0.01)

    (request,) = world.tick()
    world.execute(request)

    assert (request.job_name, request.run_key) == ("exercise", "attempt:1")
    assert request.tags["dagster/max_retries"] == "0"
    assert {world.task(f"t{number}").state for number in range(20)} == {"succeeded"}
    assert world.tick() == []


def test_a_request_is_repeated_until_its_run_is_there(world: World) -> None:
    world.submit("t")

    first, second = world.tick(), world.tick()
    run = world.create(first[0], DagsterRunStatus.NOT_STARTED)
    third = world.tick()
    world.instance.run_storage.handle_run_event(run.run_id, starting(run))

    assert [one[0].run_key for one in (first, second, third)] == ["attempt:1"] * 3
    assert world.tick() == []
    assert world.task("t").attempts == 1


def test_what_comes_while_a_run_is_at_work_waits_for_the_next(world: World) -> None:
    world.submit("a")
    (request,) = world.tick()
    world.submit("b")
    world.submit("c")
    assert [one.run_key for one in world.tick()] == [request.run_key]
    world.execute(request)

    (following,) = world.tick()
    world.execute(following)

    assert (world.task("b").state, world.task("c").state) == ("succeeded", "succeeded")
    assert world.task("b").attempt == world.task("c").attempt


def test_a_run_that_fails_before_it_begins_costs_an_attempt(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request, DagsterRunStatus.STARTING)
    world.instance.report_run_failed(run, "no memory")

    world.tick()

    task = world.task("t")
    assert (task.state, task.attempts, task.error["source"]) == ("queued", 1, "infrastructure")
    assert task.not_before is not None


def test_a_run_that_falls_silent_is_lost_and_its_tasks_are_tried_again(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request)
    assert begin(world.resource.ledger(), 1, run.run_id) is not None
    world.tick()
    assert world.task("t").state == "running"
    with world.resource.ledger().database.begin() as connection:
        connection.execute(text("UPDATE attempts SET heartbeat_at = '2020-01-01 00:00:00.000000'"))

    world.tick()

    assert world.task("t").error["code"] == "lost"
    assert world.states("t") == ["queued", "running", "queued"]


def test_a_sensor_that_was_away_takes_nobody_for_lost_before_it_has_listened_for_long_enough(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    assert begin(world.resource.ledger(), 1, world.create(request).run_id) is not None
    with world.resource.ledger().database.begin() as connection:
        connection.execute(text("UPDATE attempts SET heartbeat_at = '2020-01-01 00:00:00.000000'"))

    world.watch = Watch(last=time.time() - 60, since=time.time() - HOUR)
    world.tick()
    assert world.watch.last - world.watch.since < 3
    assert world.task("t").state == "running"
    world.watch = Watch(last=world.watch.last, since=world.watch.since - 3)
    world.tick()

    assert world.task("t").error["code"] == "lost"


def test_a_run_that_starts_and_never_begins_is_lost_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request, DagsterRunStatus.NOT_STARTED)
    started = DagsterEvent(DagsterEventType.PIPELINE_START.value, run.job_name)
    world.instance.handle_new_event(
        EventLogEntry(None, 10, "", run.run_id, time.time(), None, run.job_name, started)
    )
    world.tick()
    assert world.task("t").state == "queued"
    assert world.task("t").attempt == 1

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 16)
    world.tick()

    assert (world.task("t").attempt, world.task("t").error["code"]) == (None, "lost")


def test_a_run_that_was_deleted_is_lost(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request)
    begin(world.resource.ledger(), 1, run.run_id)
    world.instance.delete_run(run.run_id)

    world.tick()

    assert (world.task("t").state, world.task("t").error["code"]) == ("queued", "lost")


def test_a_run_that_a_person_cancels_cancels_its_tasks(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request)
    begin(world.resource.ledger(), 1, run.run_id)
    world.instance.report_run_canceled(run)

    world.tick()

    assert world.states("t") == ["queued", "running", "cancelled"]


def test_a_run_that_says_it_succeeded_and_left_tasks_is_a_fault_of_ours(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    run = world.create(request)
    begin(world.resource.ledger(), 1, run.run_id)
    world.instance.handle_new_event(success_of(run))

    world.tick()

    assert world.task("t").error["source"] == "internal"


def starting(run: DagsterRun) -> DagsterEvent:
    return DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, run.job_name)


def success_of(run: DagsterRun) -> Any:
    event = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, run.job_name, message="done")
    return EventLogEntry(None, 10, "", run.run_id, 0.0, job_name=run.job_name, dagster_event=event)


def test_a_task_cancelled_before_its_run_begins_never_starts(world: World) -> None:
    world.submit("t")
    (request,) = world.tick()
    cancel(world.resource.ledger(), "t")

    assert world.tick() == []
    world.execute(request)

    assert world.states("t") == ["queued", "cancelled"]


def test_priority_comes_before_age(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from cv_pipelines.tasks.kinds import registry
    from cv_pipelines.tasks.ledger import claims

    small = tuple(replace(kind, most=1) for kind in registry.KINDS)
    monkeypatch.setattr(claims, "KINDS", small)
    for name, priority in (("low", 1), ("old", 5), ("new", 5), ("high", 9)):
        world.submit(name, priority=priority, seconds=0.0)
        time.sleep(0.005)  # the database counts milliseconds

    for _ in range(4):
        (request,) = world.tick()
        world.execute(request)

    order = sorted(("low", "old", "new", "high"), key=lambda name: int(world.task(name).attempt))
    assert order == ["high", "old", "new", "low"]


def test_a_task_of_a_data_set_becomes_a_run_of_its_partition(world: World, tmp_path: Path) -> None:
    add_dataset(world.resource.ledger().database, "flowers", str(tmp_path))
    world.submit("t", "train_model", dataset="flowers", parameters={"epochs": 3})
    world.submit("u", "train_model", dataset="flowers", name="first-try")

    request, named = world.tick()

    assert named.run_config == {"ops": {"trained_model": {"config": {"name": "first-try"}}}}
    assert (request.job_name, request.partition_key) == ("train", "flowers")
    assert request.run_config == {"ops": {"trained_model": {"config": {"epochs": 3}}}}
    assert world.instance.get_dynamic_partitions("dataset") == ["flowers"]


def test_a_data_set_that_does_not_exist_fails_the_task_and_nothing_else(world: World) -> None:
    world.submit("bad", "ingest_dataset", dataset="nowhere")
    world.submit("good")

    (request,) = world.tick()

    assert request.job_name == "exercise"
    assert (world.task("bad").state, world.task("bad").error["code"]) == ("failed", "no_dataset")


def test_a_task_of_a_video_becomes_a_run_of_its_partition(world: World) -> None:
    for name in ("first", "second"):
        world.submit(name, "analyse_motion", video="s3://archive/a.mp4")
    world.submit("forbidden", "analyse_motion", video="file:///etc/a.mp4")

    requests = world.tick()

    key = video_key("s3://archive/a.mp4")
    assert [(one.job_name, one.partition_key) for one in requests] == [("analyse_motion", key)] * 2
    assert world.instance.get_dynamic_partitions("video") == [key]
    assert count_archive(world.resource.ledger().database) == 1
    assert (world.task("forbidden").state, world.task("forbidden").error["code"]) == ("failed", "forbidden_file")


def test_a_cancelled_task_of_a_data_set_stops_its_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(
        type(world.instance.run_coordinator), "cancel_run", lambda _, run_id: bool(stopped.append(run_id))
    )
    add_dataset(world.resource.ledger().database, "flowers", str(tmp_path))
    world.submit("t", "ingest_dataset", dataset="flowers")
    (request,) = world.tick()
    run = world.create(request)
    world.tick()
    assert world.task("t").state == "running"

    cancel(world.resource.ledger(), "t")
    world.tick()

    assert stopped == [run.run_id]
    assert world.states("t")[-1] == "cancelled"


def test_a_task_of_a_data_set_that_is_cancelled_while_it_waits_takes_its_run_along(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(type(world.instance.run_coordinator), "cancel_run", lambda _, run: stopped.append(run))
    add_dataset(world.resource.ledger().database, "flowers", str(tmp_path))
    world.submit("t", "train_model", dataset="flowers")
    (request,) = world.tick()
    run = world.create(request, DagsterRunStatus.NOT_STARTED)

    cancel(world.resource.ledger(), "t")

    assert world.tick() == []
    assert stopped == [run.run_id]
    assert world.states("t") == ["queued", "cancelled"]


@pytest.mark.parametrize("ended", [False, True])
def test_of_two_runs_of_a_data_set_that_two_daemons_have_made_the_second_is_stopped_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    stopped: list[str] = []

    def stop(_: object, run_id: str) -> bool:
        stopped.append(run_id)
        run = world.instance.get_run_by_id(run_id)
        assert run is not None
        world.instance.report_run_canceling(run)
        return True

    monkeypatch.setattr(type(world.instance.run_coordinator), "cancel_run", stop)
    add_dataset(world.resource.ledger().database, "flowers", str(tmp_path))
    world.submit("t", "ingest_dataset", dataset="flowers")
    (request,) = world.tick()
    second = world.create(request, DagsterRunStatus.STARTING)
    world.tick()
    assert stopped == []  # nobody has begun
    first = world.create(request)
    if ended:
        world.instance.handle_new_event(success_of(first))

    world.tick()
    world.tick()

    assert stopped == [second.run_id]
    assert world.task("t").state == ("succeeded" if ended else "running")
    assert world.task("t").attempts == 1


@pytest.mark.parametrize("kind", ["train_model", "sleep"])
def test_parameters_that_a_later_version_does_not_know_fail_their_task_alone(
    world: World, tmp_path: Path, kind: str
) -> None:
    add_dataset(world.resource.ledger().database, "flowers", str(tmp_path))
    world.submit("old", kind, **({"dataset": "flowers"} if kind == "train_model" else {"seconds": 1.0}))
    world.submit("good", "fail", source="input")
    with world.resource.ledger().database.begin() as connection:
        connection.execute(text("""UPDATE tasks SET params = '{"gone": 1}' WHERE id = 'old'"""))

    for request in world.tick():
        world.execute(request)
    world.tick()

    assert (world.task("old").state, world.task("old").error["code"]) == ("failed", "unknown_parameters")
    assert world.task("good").error["code"] == "asked_to_fail"


def test_a_broker_that_does_not_answer_holds_up_nothing(world: World) -> None:
    world.resource = TasksResource(database=world.resource.database, broker_url="amqp://127.0.0.1:1/%2F")
    world.submit("t")

    assert len(world.tick()) == 1
