from dataclasses import replace

from cv_pipelines.execution.engine import NodeOffer
from cv_pipelines.execution.leases import Lease
from cv_pipelines.execution.needs import Needs
from cv_pipelines.execution.placement import avoided_nodes, constraints_of, why_nowhere, with_more_memory

SMALL = NodeOffer("small", "id-s", True, 0, 8, 4)
GPU = NodeOffer("gpu", "id-g", True, 2, 64, 16, {"disk": "ssd"})
LEASE = Lease(
    "cv-1", "run", "step", 0, "ended", "image", 0, 4.0, 60.0, "gpu", "c", 137, "out_of_memory", "", "", 9, 9, 9
)


def test_what_no_node_offers_is_named_with_the_most_that_there_is() -> None:
    assert why_nowhere(Needs(), [SMALL]) is None
    assert why_nowhere(Needs(gpus=2, memory_gb=64, cpus=16), [SMALL, GPU]) is None
    assert why_nowhere(Needs(gpus=3), [SMALL, GPU]) == "No node offers 3 GPUs (the most on a node: 2)."
    assert "100 GB of memory (the most on a node: 64)" in str(why_nowhere(Needs(memory_gb=100), [SMALL, GPU]))
    assert why_nowhere(Needs(node_labels=(("disk", "hdd"),)), [GPU]) == "No node has the labels disk=hdd."
    assert why_nowhere(Needs(), []) == "The swarm has no node."
    big = replace(SMALL, memory_gb=1000)
    assert why_nowhere(Needs(gpus=1, memory_gb=500), [big, GPU]) == "No node offers all of it together."


def test_a_node_that_is_down_could_still_take_it_one_day() -> None:
    assert why_nowhere(Needs(gpus=1), [replace(GPU, is_open=False)]) is None


def test_a_step_goes_elsewhere_only_where_there_is_an_elsewhere() -> None:
    twin = replace(GPU, name="twin", id="id-t")
    needs = Needs(gpus=1, node_labels=(("disk", "ssd"),))

    assert constraints_of(needs, [SMALL, GPU, twin], {"gpu"}) == ["node.labels.disk == ssd", "node.id != id-g"]
    assert constraints_of(needs, [SMALL, GPU], {"gpu"}) == ["node.labels.disk == ssd"]
    assert constraints_of(needs, [GPU, replace(twin, is_open=False)], {"gpu"}) == ["node.labels.disk == ssd"]


def test_only_ends_that_may_be_a_nodes_fault_are_held_against_it() -> None:
    ends = ("lost", "container_gone", "out_of_memory", "failed", "completed", "timeout")
    earlier = [replace(LEASE, node=f"node-{reason}", reason=reason) for reason in ends]

    assert avoided_nodes(earlier) == {"node-lost", "node-container_gone"}


def test_more_memory_comes_after_a_smaller_batch_has_not_helped_and_within_the_largest_node() -> None:
    needs = Needs(memory_gb=4)
    memory = [with_more_memory(needs, [LEASE] * ends, [SMALL, GPU]).memory_gb for ends in range(7)]

    assert memory == [4, 4, 8, 16, 32, 64, 64]
    other = [replace(LEASE, reason="lost")] * 5
    assert with_more_memory(needs, other, [GPU]).memory_gb == 4
    assert with_more_memory(Needs(), [LEASE] * 3, [GPU]).memory_gb is None
