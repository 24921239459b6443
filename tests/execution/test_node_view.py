"""Nodes of a swarm as people look at them, from what Docker's API says."""

from typing import Any

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.execution.gpu_resource import daemon_options
from cv_pipelines.execution.node_view import NodeView, RunningStep, find_node, miscounted, views_of

OLD, NEW = "20.10.24+dfsg1", "27.1.1"


def node(
    name: str, units: int = 0, engine: str = OLD, state: str = "ready", availability: str = "active", **more: Any
) -> dict[str, Any]:
    resources: dict[str, Any] = {"NanoCPUs": 8_000_000_000, "MemoryBytes": 64_000_000_000}
    if units:
        resources["GenericResources"] = [{"DiscreteResourceSpec": {"Kind": "GPU", "Value": units}}]
    return {
        "ID": f"id-{name}",
        "Spec": {"Role": "worker", "Availability": availability, "Labels": {}},
        "Description": {"Hostname": name, "Resources": resources, "Engine": {"EngineVersion": engine}},
        "Status": {"State": state, "Addr": "10.0.0.2"},
        **more,
    }


def task(on: str | None, units: int, state: str = "running", step: str | None = "train") -> dict[str, Any]:
    labels = {"cv.run_id": "run-1", "cv.step_key": step} if step else {}
    generic = [{"DiscreteResourceSpec": {"Kind": "GPU", "Value": units}}] if units else None
    return {
        "Spec": {
            "ContainerSpec": {"Labels": labels},
            "Resources": {"Reservations": {"GenericResources": generic}},
        },
        "Status": {"State": state},
        **({"NodeID": f"id-{on}"} if on else {}),
    }


def test_gpus_are_counted_over_everything_that_runs_and_steps_are_ours() -> None:
    tasks = [
        task("w1", 2),
        task("w1", 2, "preparing", "predict"),
        task("w1", 2, step=None),  # somebody else's service
        task("w1", 2, "complete"),
        task(None, 2, "pending"),
    ]

    (view,) = views_of([node("w1", 9)], tasks, OLD)

    assert (view.gpus, view.gpus_used, view.gpus_free) == (4, 3, 1)
    assert view.steps == [
        RunningStep("run-1", "predict", "preparing", 1),
        RunningStep("run-1", "train", "running", 1),
    ]
    assert (view.cpus, view.memory_gb, view.role, view.address) == (8, 64, "worker", "10.0.0.2")


def test_newer_engines_count_each_gpu_once() -> None:
    (view,) = views_of([node("w1", 4, NEW)], [task("w1", 3)], NEW)

    assert (view.gpus, view.gpus_used, view.gpus_free) == (4, 3, 1)


@pytest.mark.parametrize(
    ("state", "availability"), [("down", "active"), ("ready", "drain"), ("ready", "pause"), ("unknown", "active")]
)
def test_a_node_that_takes_no_steps_has_no_free_gpu(state: str, availability: str) -> None:
    (view,) = views_of([node("w1", 3, state=state, availability=availability)], [], OLD)

    assert (view.gpus, view.gpus_free) == (1, 0)


def test_the_leader_is_told_and_nodes_come_by_name() -> None:
    views = views_of([node("w2"), node("w1"), node("m", ManagerStatus={"Leader": True})], [], OLD)

    assert [(view.name, view.role) for view in views] == [("m", "leader"), ("w1", "worker"), ("w2", "worker")]


def test_a_node_is_found_by_what_names_it_alone() -> None:
    views = views_of([node("gpu-1"), node("gpu-10"), node("big")], [], OLD)

    def name_of(wanted: str) -> str:
        return find_node(views, wanted).name

    assert (name_of("gpu-1"), name_of("gpu-10"), name_of("b"), name_of("id-gpu-10")) == (
        *("gpu-1", "gpu-10", "big", "gpu-10"),
    )
    with pytest.raises(InputError, match=r"'gpu' may be gpu-1 \(id-gpu-1\), gpu-10 \(id-gpu-10\)"):
        find_node(views, "gpu")
    with pytest.raises(InputError, match=r"no node 'x'; its nodes are: big, gpu-1, gpu-10"):
        find_node(views, "x")
    with pytest.raises(InputError, match="no node ''"):
        find_node(views, "")


def test_two_machines_of_one_name_need_their_ids() -> None:
    twins = [NodeView(name, "w1", "ready", "active", "worker", "", OLD, 1, 1, 0, 0) for name in ("abc1", "abc2")]

    assert find_node(twins, "abc2").id == "abc2"
    with pytest.raises(InputError, match="give more of the name, or the id"):
        find_node(twins, "w1")


def test_nodes_that_count_gpus_otherwise_than_the_manager_are_told() -> None:
    views = views_of([node("old", 3), node("new", 1, NEW), node("plain", 0, NEW)], [], OLD)

    assert [view.name for view in miscounted(views, OLD)] == ["new"]
    assert [view.name for view in miscounted(views, NEW)] == ["old"]


def test_what_a_daemon_needs_to_be_told() -> None:
    assert daemon_options(OLD, 4) == '"default-runtime": "nvidia", "node-generic-resources": ["GPU=9"]'
    assert daemon_options(NEW, 4) == '"default-runtime": "nvidia", "node-generic-resources": ["GPU=4"]'
