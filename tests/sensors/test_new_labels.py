"""Rounds are asked for: real labels, an instance and a catalog of the test's own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    SensorDefinition,
    SensorResult,
    SkipReason,
    build_sensor_context,
    validate_run_config,
)

from cv_pipelines.active_learning.next_round import labels_since_training
from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.catalog import Catalog
from cv_pipelines.definitions import defs
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.jobs import ask, judge, learn
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.registry import promote, register
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.store import StoreResource
from sensors.new_labels import make_label_sensor
from tests.active_learning.shapes import Shapes, make_shapes

AFTER = 5


@dataclass
class World:
    """The data set `shapes` and the sensor, from tick to tick."""

    resource: CatalogResource
    instance: DagsterInstance
    shapes: Shapes
    sensor: SensorDefinition = field(default_factory=lambda: make_label_sensor([learn, judge, ask], AFTER))
    cursor: str | None = None
    skipped: str = ""

    def tick(self) -> list[RunRequest]:
        """What the sensor asks for now; why it asks for nothing is in `skipped`."""
        with build_sensor_context(
            self.instance, cursor=self.cursor, resources={"catalog": self.resource}
        ) as context:
            result = self.sensor(context)
        assert isinstance(result, SensorResult)
        self.cursor, reason = result.cursor, result.skip_reason
        self.skipped = str(reason.skip_message) if isinstance(reason, SkipReason) else ""
        return list(result.run_requests or [])

    def launch(self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.STARTED) -> DagsterRun:
        """What the daemon does with a request."""
        job = defs.resolve_job_def(str(request.job_name))
        assert validate_run_config(job, request.run_config)
        tags = {**request.tags, "dagster/run_key": str(request.run_key), "dagster/partition": "shapes"}
        return self.instance.create_run_for_job(job, run_config=request.run_config, tags=tags, status=status)

    def ask(self, **settings: object) -> list[int]:
        """What a run of `ask` does."""
        catalog = self.shapes.catalog
        made = make_queue(catalog, "shapes", self.shapes.manifest, QueueParameters(**settings))
        catalog.publish("label_queue", "shapes", made.reference)
        return [int(one) for one in made.bundle.table("queue")["image_id"].to_pylist()]

    def learn(self, **parameters: object) -> None:
        """What a run of `learn` does, as far as the sensor sees it."""
        labels = make_labels(self.shapes.catalog, "shapes", self.shapes.manifest).reference
        self.shapes.catalog.publish("labels", "shapes", labels)
        card = {"parameters": {**TrainingParameters().model_dump(), **parameters}}
        self.shapes.publish("trained_model", "model-1", card)
        self.ask(size=10)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = DatabaseResource(url=f"sqlite:///{tmp_path / 'cv.sqlite'}")
    resource = CatalogResource(database=database, store=StoreResource(url=(tmp_path / "store").as_uri()))
    with DagsterInstance.ephemeral() as instance:
        yield World(resource, instance, make_shapes(resource.open()))


def jobs(requests: list[RunRequest]) -> list[tuple[str | None, str | None]]:
    return [(request.job_name, request.partition_key) for request in requests]


def test_the_first_labels_are_asked_for_and_enough_of_them_train_a_model(world: World) -> None:
    (first,) = world.tick()
    assert (first.job_name, first.partition_key) == ("ask", "shapes")
    assert world.instance.get_dynamic_partitions("dataset") == ["shapes"]
    run = world.launch(first)
    assert world.tick() == []
    assert world.skipped == f"shapes is being worked on by run {run.run_id}"
    rows = world.ask(size=20)
    world.instance.report_run_failed(run)
    assert world.tick() == []

    world.shapes.label(*rows[: AFTER - 1])
    assert world.tick() == []
    assert world.skipped == "Nobody has said enough that is new."
    world.shapes.label(rows[AFTER - 1])
    (second,) = world.tick()
    assert (second.job_name, second.tags["cv/reason"]) == ("learn", "5 labels are new")


def test_a_round_is_asked_for_once(world: World) -> None:
    world.learn()
    world.shapes.label(*range(AFTER))
    (first,), (again,) = world.tick(), world.tick()
    assert first.run_key == again.run_key, "Dagster makes no second run of a key"
    run = world.launch(first)
    world.shapes.label(AFTER)
    assert world.tick() == [], "it is at work"
    world.learn()
    world.instance.report_run_failed(run)
    assert world.tick() == []
    world.shapes.label(*range(AFTER + 1, 2 * AFTER + 1))
    (second,) = world.tick()
    assert second.run_key != first.run_key


def test_a_round_that_failed_comes_again_with_as_many_further_labels(world: World) -> None:
    world.ask(size=40)
    world.shapes.label(*range(AFTER))
    (first,) = world.tick()
    world.instance.report_run_failed(world.launch(first))
    assert world.tick() == []
    world.shapes.label(*range(AFTER, 2 * AFTER - 1))
    assert world.tick() == []
    world.shapes.label(2 * AFTER - 1)
    assert jobs(world.tick()) == [("learn", "shapes")]


def test_a_model_whose_round_failed_behind_it_is_judged_once(world: World) -> None:
    catalog = world.shapes.catalog
    world.learn()
    world.ask(size=10, seed=4)
    world.shapes.label(*range(AFTER))
    (round_,) = world.tick()
    run = world.launch(round_)
    trained = world.shapes.publish("trained_model", "model-2", {"parameters": TrainingParameters().model_dump()})
    catalog.publish("trained_model", "shapes", trained, run.run_id)
    assert world.tick() == [], "its round goes on"
    world.instance.report_run_failed(run)

    (request,) = world.tick()
    assert (request.job_name, request.partition_key) == ("judge", "shapes")
    assert request.run_config["ops"]["label_queue"]["config"] == QueueParameters(size=10, seed=4).model_dump()
    world.instance.report_run_failed(world.launch(request))
    assert "judge" not in [one.job_name for one in world.tick()], "what cannot be judged is not tried again"


def test_a_model_that_the_gate_has_judged_is_not_judged_again(world: World) -> None:
    catalog = world.shapes.catalog
    run = world.instance.create_run_for_job(defs.resolve_job_def("learn"), status=DagsterRunStatus.FAILURE)
    trained = world.shapes.publish("trained_model", "model-2", {"parameters": TrainingParameters().model_dump()})
    catalog.publish("trained_model", "shapes", trained, run.run_id)
    model = register(catalog.database, "shapes", trained)
    promote(catalog.database, model, "challenger", "test", "", {}, "challenge")
    assert "judge" not in [one.job_name for one in world.tick()]


def test_a_model_that_a_person_has_had_trained_alone_is_theirs_to_judge(world: World) -> None:
    run = world.instance.create_run_for_job(defs.resolve_job_def("train"), status=DagsterRunStatus.FAILURE)
    trained = world.shapes.publish("trained_model", "model-2", {"parameters": TrainingParameters().model_dump()})
    world.shapes.catalog.publish("trained_model", "shapes", trained, run.run_id)
    assert "judge" not in [one.job_name for one in world.tick()]


def test_a_round_that_a_killed_daemon_has_recorded_and_not_launched_is_asked_for_again(world: World) -> None:
    world.learn()
    world.shapes.label(*range(AFTER))
    (first,) = world.tick()
    world.launch(first, DagsterRunStatus.NOT_STARTED)
    (again,) = world.tick()
    assert again.run_key == first.run_key, "Dagster launches the run that there is"


def test_a_queue_that_is_done_is_followed_by_another_one(world: World) -> None:
    rows = world.ask(size=AFTER - 1)
    world.learn()
    rows = world.ask(size=AFTER - 1)
    world.shapes.label(*rows)
    (request,) = world.tick()
    assert request.job_name == "ask"
    world.instance.report_run_failed(world.launch(request))
    assert world.tick() == [], "one that failed is not repeated"


def test_what_people_have_set_stands_for_later_rounds(world: World) -> None:
    world.learn(architecture="MobileNetV2", image_size=64)
    world.ask(strategies={"entropy": 1.0}, size=7, seed=3)
    world.shapes.label(*range(AFTER))
    (request,) = world.tick()
    world.launch(request)
    steps = request.run_config["ops"]
    assert (
        steps["trained_model"]["config"]
        == TrainingParameters(architecture="MobileNetV2", image_size=64).model_dump()
    )
    assert (
        steps["label_queue"]["config"] == QueueParameters(strategies={"entropy": 1.0}, size=7, seed=3).model_dump()
    )


def test_parameters_of_another_release_wedge_nothing(world: World) -> None:
    world.learn(batch_size=-3, forgotten="yes")
    world.shapes.label(*range(AFTER))
    (request,) = world.tick()
    assert request.run_config["ops"]["trained_model"]["config"] == TrainingParameters().model_dump()
    world.launch(request)


def test_nobody_looks_twice_at_what_has_not_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.learn()
    assert world.tick() == []
    monkeypatch.setattr("sensors.new_labels.judge", lambda *_: pytest.fail("nothing has changed"))
    assert world.tick() == []
    monkeypatch.undo()
    world.shapes.label(*range(AFTER))
    assert jobs(world.tick()) == [("learn", "shapes")]


def test_other_images_are_looked_at_though_nobody_has_said_anything(world: World) -> None:
    every, world.shapes.manifest = world.shapes.manifest, world.shapes.with_images(0, 1, 2)
    world.shapes.label(0, 1, 2)
    world.learn()
    assert world.tick() == []
    world.shapes.catalog.publish("image_manifest", "shapes", every)
    (request,) = world.tick()
    assert request.job_name == "ask"


def test_a_queue_that_could_not_be_made_is_tried_again_for_other_images(world: World) -> None:
    (first,) = world.tick()
    world.instance.report_run_failed(world.launch(first))
    assert world.tick() == []
    world.shapes.with_images(0, 1, 2)
    assert jobs(world.tick()) == [("ask", "shapes")]


def test_with_a_zero_nothing_is_trained(world: World) -> None:
    world.sensor = make_label_sensor([learn, ask], 0)
    rows = world.ask(size=10)
    world.shapes.label(*rows[:8])
    assert world.tick() == []
    world.shapes.label(*rows[8:])
    assert jobs(world.tick()) == [("ask", "shapes")]


def test_one_data_set_that_cannot_be_looked_at_hampers_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_dataset(world.shapes.catalog.database, "alpha", "/nowhere")

    def fails(catalog: Catalog, dataset: str) -> int:
        if dataset == "alpha":
            raise OSError("the disk is away")
        return labels_since_training(catalog, dataset)

    world.shapes.catalog.publish("image_manifest", "alpha", world.shapes.manifest)
    monkeypatch.setattr("sensors.new_labels.labels_since_training", fails)
    assert jobs(world.tick()) == [("ask", "shapes")]
    world.ask()
    assert world.tick() == []
    assert world.skipped == "alpha cannot be looked at: the disk is away"


def test_a_data_set_without_images_waits(world: World) -> None:
    add_dataset(world.shapes.catalog.database, "later", "/nowhere")
    world.learn()
    assert world.tick() == []
    assert world.skipped == "later has not been ingested yet"


def test_a_spoiled_cursor_is_forgotten(world: World) -> None:
    world.cursor = "spoiled"
    assert jobs(world.tick()) == [("ask", "shapes")]


def test_it_is_off_until_somebody_switches_it_on(world: World) -> None:
    assert world.sensor.default_status.value == "STOPPED"
    assert {target.job_name for target in world.sensor.targets} == {"learn", "judge", "ask"}
