"""Training from the page, as far as the server goes without a daemon: forms in, states out."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from cv_pipelines.database.clock import ago
from cv_pipelines.database.task_tables import attempts, tasks
from cv_pipelines.execution.run_progress import ProgressWriter
from cv_pipelines.models.architectures.factory import ARCHITECTURES
from cv_pipelines.models.names import name_model, named_version
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.registry import ledger as promotions_of
from cv_pipelines.models.registry import promote, register, standing
from cv_pipelines.storage.bundles import Reference, put_bundle
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import claim
from cv_pipelines.tasks.ledger.closing import close, close_done
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import find_task
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.web.training.form import fields
from tests.web_site import EVIL, Site

PAGE = {"Accept": "text/html"}
CONFUSION = {"classes": ["bar", "disc"], "counts": [[8, 2], [0, 10]]}
FACTS = {
    "accuracy": 0.9,
    "accuracy_low": 0.75,
    "accuracy_high": 0.975,
    "images": 20,
    "splits": "s1",
    "per_class": {
        name: {"precision": 0.9, "recall": recall, "f1": 0.9, "images": 10.0}
        for name, recall in (("bar", 0.8), ("disc", 1.0))
    },
    "confusion": CONFUSION,
}
HISTORY = [{"loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4}]


@dataclass
class Trainings:
    """Forms of a person, and what a daemon would do about them."""

    site: Site
    client: httpx.Client
    ledger: Ledger
    told: list[str] = field(default_factory=list)

    def start(self, role: str = "annotator", dataset: str = "shapes", **given: str) -> httpx.Response:
        form = {"task_id": f"train-{uuid4()}", **given}
        return self.client.post(f"/datasets/{dataset}/trainings", data=form, headers=self.site.bearer(role))

    def started(self, **given: str) -> str:
        answer = self.start(**given)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].partition("training=")[2]

    def state(self, task_id: str, role: str = "viewer", dataset: str = "shapes") -> httpx.Response:
        return self.client.get(f"/datasets/{dataset}/trainings/{task_id}", headers=self.site.bearer(role))

    def shown(self, task_id: str) -> dict[str, Any]:
        answer = self.state(task_id)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def page(self, query: str = "", role: str = "annotator", dataset: str = "shapes", **headers: str) -> str:
        headers = {**self.site.bearer(role), **PAGE, **headers}
        answer = self.client.get(f"/datasets/{dataset}/train{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def claimed(self, task_id: str) -> int:
        """The attempt that a daemon makes of a task."""
        claim(self.ledger)
        return int(find_task(self.ledger, task_id).attempt)

    def running(self, task_id: str, run_id: str = "run") -> int:
        attempt = self.claimed(task_id)
        assert begin_or_resume(self.ledger, attempt, run_id) is not None
        return attempt

    def count(self) -> int:
        with self.ledger.database.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(tasks)) or 0)


@pytest.fixture
def trainings(site: Site, client: httpx.Client) -> Iterator[Trainings]:
    ledger = Ledger(site.catalog.database)
    yield Trainings(site, client, ledger)
    with ledger.database.begin() as connection:  # others count from an empty queue
        connection.execute(update(tasks).values(state="cancelled"))
        connection.execute(update(attempts).values(state="closed"))


def model(site: Site, version: str, dataset: str = "shapes") -> Reference:
    """A model in the store, with a card and nothing else."""
    tried = [{"architecture": name} for name in ("hog", "small_cnn")]
    card = {"architecture": "small_cnn", "tried": tried, "history": HISTORY, "parameters": {}}
    reference = put_bundle(site.catalog.store, "trained_model", version, card, {})
    register(site.catalog.database, dataset, reference)
    return reference


def trained(site: Site, version: str, run_id: str) -> Reference:
    """What a run has published: a model and its evaluation."""
    reference = model(site, version)
    judged = site.catalog.once(
        "model_evaluation",
        {"of": version},
        lambda key: put_bundle(site.catalog.store, "model_evaluation", f"{version}-{key[:12]}", FACTS, {}),
    ).reference
    site.catalog.publish("trained_model", "shapes", reference, run_id)
    site.catalog.publish("model_evaluation", "shapes", judged, run_id)
    return reference


def test_the_form_asks_for_each_parameter_but_a_file_of_the_machine() -> None:
    asked = {one.name: one for one in fields()}

    assert {*asked, "weights"} == set(TrainingParameters.model_fields)
    assert all(one.help for one in asked.values())
    assert {one.default for one in asked.values()} >= {"auto", "30", "0.001", "true", "geometry"}
    assert set(ARCHITECTURES) < {name for names in asked["architecture"].choices.values() for name in names}
    assert (asked["epochs"].least, asked["epochs"].most) == ("1", "10000")


def test_a_training_is_a_task_with_what_differs_from_the_defaults(trainings: Trainings) -> None:
    task_id = trainings.started(
        architecture="MobileNetV2",
        epochs="3",
        learning_rate="0.01",
        mixed_precision="false",
        dropout="0.2",
        name="m1",
    )

    row = find_task(trainings.ledger, task_id)
    assert (row.kind, row.state, row.submitted_by, row.priority) == ("train_model", "queued", "annotator", 6)
    parameters = {"architecture": "MobileNetV2", "epochs": 3, "learning_rate": 0.01, "mixed_precision": False}
    assert row.params == {"dataset": "shapes", "parameters": parameters, "name": "m1"}
    assert 'value="train-' in trainings.page()


def test_a_form_that_is_sent_twice_starts_one_training(trainings: Trainings) -> None:
    form = {"task_id": f"train-{uuid4()}", "epochs": "3", "name": "twice"}
    before = trainings.count()
    answers = [trainings.start(**form) for _ in range(2)]

    assert [one.headers.get("Location") for one in answers] == [
        f"/datasets/shapes/train?training={form['task_id']}"
    ] * 2
    assert trainings.count() == before + 1
    other = trainings.start(**{**form, "epochs": "4"})
    assert (other.status_code, other.json()["code"]) == (422, "conflict")


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"architecture": "ResNet51"}, "architecture", "no architecture 'ResNet51'"),
        ({"architecture": EVIL}, "architecture", "no architecture"),
        ({"epochs": "0"}, "invalid", "epochs: Input should be greater than or equal to 1"),
        ({"epochs": "1e3"}, "parameters", "Epochs: '1e3' is not a whole number"),
        ({"epochs": "9" * 150}, "invalid", "epochs"),
        ({"learning_rate": "nan"}, "parameters", "Learning rate: 'nan' is not a number"),
        ({"dropout": "1"}, "invalid", "dropout: Input should be less than 1"),
        ({"augmentation": "wild"}, "invalid", "augmentation"),
        ({"mixed_precision": "perhaps"}, "parameters", "not true or false"),
        ({"name": "a/b"}, "model_name", "cannot be a model's name"),
        ({"name": "c0ffee"}, "model_name", "could be the version"),
        ({"name": "taken"}, "name_taken", "stands for model aaa1"),
        ({"name": "soon"}, "name_taken", "being trained"),
        ({"task_id": "train-1"}, "invalid", "task_id"),
        ({"task_id": ""}, "invalid", "task_id"),
    ],
)
def test_what_makes_no_training_is_told_and_starts_none(
    trainings: Trainings, given: dict[str, str], code: str, words: str
) -> None:
    name_model(trainings.ledger.database, "shapes", model(trainings.site, "aaa1"), "taken", "ann")
    trainings.started(name="soon")
    before = trainings.count()

    answer = trainings.start(**given)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]
    assert trainings.count() == before


def test_a_person_sees_what_is_wrong_beside_what_they_typed(trainings: Trainings) -> None:
    form = {"task_id": f"train-{uuid4()}", "epochs": "0", "name": EVIL, "architecture": "ResNet50"}
    headers = {**trainings.site.bearer("annotator"), **PAGE}
    answer = trainings.client.post("/datasets/shapes/trainings", data=form, headers=headers)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<option selected>ResNet50</option>" in answer.text
    assert 'value="0"' in answer.text
    assert EVIL not in answer.text
    assert form["task_id"] not in answer.text, "the next try is another form"


def test_who_may_do_what(trainings: Trainings) -> None:
    task_id = trainings.started()
    reference = model(trainings.site, "bbb1")
    form = {"model": reference.version, "why": "better"}

    for role, path, data in [
        ("viewer", "trainings", {"task_id": f"train-{uuid4()}"}),
        ("viewer", f"trainings/{task_id}/cancel", {}),
        ("viewer", "champion", form),
        ("annotator", "champion", form),
    ]:
        answer = trainings.client.post(f"/datasets/shapes/{path}", data=data, headers=trainings.site.bearer(role))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert trainings.shown(task_id)["state"] == "queued"
    assert "Start training" not in trainings.page(role="viewer")
    assert trainings.client.get("/datasets/shapes/train").status_code == 401


def test_a_form_of_an_earlier_session_starts_nothing(site: Site, client: httpx.Client) -> None:
    client.post("/login", data={"token": site.tokens["annotator"]})
    found = re.search(
        r'name="csrf" value="([0-9a-f]{64})"', client.get("/datasets/shapes/train", headers=PAGE).text
    )
    assert found
    form = {"task_id": f"train-{uuid4()}", "epochs": "2"}

    for csrf in ("", "0" * 64):
        refused = client.post("/datasets/shapes/trainings", data={**form, "csrf": csrf})
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    assert client.post("/datasets/shapes/trainings", data={**form, "csrf": found[1]}).status_code == 303


def test_of_another_data_set_nothing_is_shown_or_cancelled(trainings: Trainings) -> None:
    task_id = trainings.started()

    for dataset, wanted in (("odd", task_id), ("shapes", "train-none"), ("nobody", task_id)):
        assert trainings.state(wanted, dataset=dataset).status_code == 404
        path = f"/datasets/{dataset}/trainings/{wanted}/cancel"
        assert trainings.client.post(path, headers=trainings.site.bearer("admin")).status_code == 404
    assert trainings.shown(task_id)["state"] == "queued"
    assert task_id not in trainings.page(dataset="odd")
    not_ingested = trainings.start(dataset="later")
    assert (not_ingested.status_code, not_ingested.json()["code"]) == (404, "not_materialized")
    assert "cv-pipelines run later" in trainings.page(dataset="later")


def test_who_waits_sees_their_place_and_that_nothing_picks_them_up(trainings: Trainings) -> None:
    first, second = trainings.started(), trainings.started()
    assert [trainings.shown(one)["position"] for one in (first, second)] == [1, 2]
    assert trainings.shown(first)["note"] == "It waits to be picked up."

    with trainings.ledger.database.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.id == second).values(created_at=ago(600.0)))
    late = trainings.shown(second)
    assert (late["position"], late["seconds"]) == (1, pytest.approx(600, abs=30))
    assert "is 'cv-pipelines dev' running?" in late["note"]
    assert "Place 1 in the queue. Nothing picks it up" in trainings.page(f"?training={second}")


def test_progress_is_seen_before_the_ledger_hears_of_the_run(trainings: Trainings) -> None:
    task_id = trainings.started(epochs="2")
    attempt = trainings.claimed(task_id)
    waits = trainings.shown(task_id)
    assert (waits["state"], waits["position"], waits["note"]) == ("queued", None, "Its run is being started.")

    tell = ProgressWriter(trainings.ledger.database, "r-1", "trained_model", attempt, pytest.fail)
    tell("training epochs", 1, 2)
    tell.epochs(HISTORY, final=True)
    shown = trainings.shown(task_id)
    assert shown["state"] == "running"
    assert shown["stages"] == [{"step": "train", "stage": "training epochs", "done": 1, "total": 2}]
    assert shown["curve"] == [{"epoch": 1, **HISTORY[0]}]
    assert shown["run"].endswith("/runs/r-1")
    page = trainings.page()
    assert "training epochs 1 of 2" in page
    data = re.search(r'id="training-data">(.*?)</script>', page)
    assert data
    assert json.loads(data[1])["curve"] == shown["curve"]


def test_cancelling_works_in_every_state_and_says_so(trainings: Trainings) -> None:
    queued, running = trainings.started(), trainings.started()
    with trainings.ledger.database.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.id == running).values(priority=9))
    trainings.running(running)
    headers = trainings.site.bearer("annotator")
    for task_id in (queued, running, running):
        answer = trainings.client.post(f"/datasets/shapes/trainings/{task_id}/cancel", headers=headers)
        assert answer.headers["Location"] == f"/datasets/shapes/train?training={task_id}"

    assert trainings.shown(running)["state"] == "cancelling"
    cancel(trainings.ledger, queued)
    shown = trainings.shown(queued)
    assert (shown["state"], shown["error"], shown["position"]) == ("cancelled", None, None)


def test_a_failure_tells_its_reason_and_keeps_the_curve(trainings: Trainings) -> None:
    task_id = trainings.started()
    attempt = trainings.running(task_id, "no-such-run")
    ProgressWriter(trainings.ledger.database, "no-such-run", "trained_model", attempt, pytest.fail).epochs(
        HISTORY, final=True
    )
    close(trainings.ledger, attempt, TaskError(source="input", code="one_class", message=f"Label {EVIL} first."))

    shown = trainings.shown(task_id)
    assert (shown["state"], shown["error"], shown["log"]) == ("failed", f"Label {EVIL} first.", [])
    assert len(shown["curve"]) == 1
    assert EVIL not in trainings.page(f"?training={task_id}")


def test_at_the_end_there_are_evaluation_gate_and_model(trainings: Trainings) -> None:
    task_id = trainings.started(name="finished")
    attempt = trainings.running(task_id, "run-9")
    reference = trained(trainings.site, "9f01", "run-9")
    assert "It is not called finished" not in trainings.page(f"?training={task_id}")
    figures = {"comparison": {"decision": "keep", "reasons": ["It is less accurate by 0.1."]}}
    promote(
        trainings.ledger.database,
        register(trainings.ledger.database, "shapes", reference),
        "challenger",
        "run run-9",
        "It is less accurate by 0.1.",
        figures,
        action="challenge",
    )
    facts = {"asset": "model_evaluation", "version": "v", "facts": {"accuracy": 0.9}}
    close_done(trainings.ledger, attempt, {"dataset": "shapes", "materializations": [facts]})

    assert "It is not called finished: another model had that name first." in trainings.page()
    name_model(trainings.ledger.database, "shapes", reference, "finished", "annotator")
    shown = trainings.shown(task_id)
    outcome = shown["outcome"]
    assert (shown["state"], shown["accuracy"], outcome["model"], outcome["names"]) == (
        "succeeded",
        0.9,
        "9f01",
        ["finished"],
    )
    assert outcome["gate"] == {"decision": "keep", "reasons": ["It is less accurate by 0.1."]}
    assert outcome["evaluation"]["confusion"][0] == [{"count": 8, "shade": 8}, {"count": 2, "shade": 2}]
    assert [one["name"] for one in outcome["evaluation"]["classes"]] == ["bar", "disc"]
    assert outcome["curve"] == [{"epoch": 1, **HISTORY[0]}]
    page = trainings.page()
    assert "90.0%" in page
    assert "The gate has kept it back." in page
    assert "<code>9f01</code> of small_cnn (hog validated worse), called" in page
    assert "Make it the champion" not in page
    assert "Make it the champion" in trainings.page(role="admin")


def test_an_admin_names_the_champion_and_says_why(trainings: Trainings) -> None:
    trained(trainings.site, "9f02", "run-10")
    database, headers = trainings.ledger.database, trainings.site.bearer("admin")

    def send(**form: str) -> httpx.Response:
        return trainings.client.post("/datasets/shapes/champion", data=form, headers=headers)

    for form, status, code in [
        ({"model": "9f02"}, 422, "why"),
        ({"model": "9f02", "why": "  "}, 422, "why"),
        ({"model": "nothing", "why": "so"}, 404, "no_model"),
        ({"why": "so"}, 422, "invalid"),
    ]:
        answer = send(**form)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert standing(database, "shapes", "champion") is None

    answer = send(model="9f02", why="agreed with the lab", training="train-1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/datasets/shapes/train?training=train-1")
    (entry,) = promotions_of(database, "shapes")
    assert (entry.model, entry.who, entry.why, entry.metrics["accuracy"]) == (
        "9f02",
        "admin",
        "agreed with the lab",
        0.9,
    )
    current = trainings.site.catalog.current("champion_model", "shapes")
    assert current is not None
    assert current.version == "9f02"


def test_the_part_that_changes_comes_alone_and_a_name_of_it_leads_nowhere_else(trainings: Trainings) -> None:
    task_id = trainings.started(name="part")
    part = trainings.page(f"?training={task_id}", **{"X-Fragment": "1"})

    assert task_id in part
    assert "<html" not in part
    assert named_version(trainings.ledger.database, "shapes", "part") is None
    headers = {**trainings.site.bearer("admin"), **PAGE}
    form = {"model": "9f02", "why": "again", "training": "//evil.example"}
    answer = trainings.client.post("/datasets/shapes/champion", data=form, headers=headers)
    assert answer.headers["Location"] == "/datasets/shapes/train"
