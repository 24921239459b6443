"""Where a step may run: of several nodes, with what it needs, and not again where it was lost. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from cv_pipelines.execution.engine import NodeOffer
from cv_pipelines.execution.leases import Lease
from cv_pipelines.execution.needs import Needs

_MORE = 2.0
"""Times as much memory for a step whose smaller batch did not help."""
_ELSEWHERE = ("lost", "container_gone", "container_failed", "image_slow", "guard_silent", "gpus_differ", "killed")
"""How an attempt ends of which its node may be the cause."""


def why_nowhere(needs: Needs, nodes: Sequence[NodeOffer]) -> str | None:
    """Why no node could ever take such a step, whether it is up or not; None where one could."""
    labelled = [node for node in nodes if all(node.labels.get(name) == value for name, value in needs.node_labels)]
    if not labelled:
        wanted = ", ".join(f"{name}={value}" for name, value in needs.node_labels)
        return f"No node has the labels {wanted}." if wanted else "The swarm has no node."
    short = [
        f"{wanted:g} {what} (the most on a node: {most:g})"
        for what, wanted, most in (
            ("GPUs", needs.gpus, max(node.gpus for node in labelled)),
            ("GB of memory", needs.memory_gb or 0, max(node.memory_gb for node in labelled)),
            ("CPUs", needs.cpus or 0, max(node.cpus for node in labelled)),
        )
        if wanted > most
    ]
    if short:
        return f"No node offers {', '.join(short)}."
    return None if any(fits(needs, node) for node in labelled) else "No node offers all of it together."


def fits(needs: Needs, node: NodeOffer) -> bool:
    """Whether an empty node could take such a step."""
    return (
        node.gpus >= needs.gpus
        and node.memory_gb >= (needs.memory_gb or 0)
        and node.cpus >= (needs.cpus or 0)
        and all(node.labels.get(name) == value for name, value in needs.node_labels)
    )


def constraints_of(needs: Needs, nodes: Sequence[NodeOffer], avoided: Collection[str]) -> list[str]:
    """Where it may run, in Swarm's words.

    Args:
        needs: of the step.
        nodes: all there are.
        avoided: names of nodes where it was lost before; if there is no other, they are not avoided.
    """
    labels = [f"node.labels.{name} == {value}" for name, value in needs.node_labels]
    others = [node for node in nodes if node.is_open and node.name not in avoided and fits(needs, node)]
    if not others:
        return labels
    return [*labels, *(f"node.id != {node.id}" for node in nodes if node.name in avoided)]


def avoided_nodes(earlier: Sequence[Lease]) -> set[str]:
    """Nodes that may be the cause of how earlier attempts ended."""
    return {lease.node for lease in earlier if lease.node and lease.reason in _ELSEWHERE}


def with_more_memory(needs: Needs, earlier: Sequence[Lease], nodes: Sequence[NodeOffer]) -> Needs:
    """What the next attempt gets: the first end for want of memory makes the batch smaller, others give more.

    Never more than the largest node has: there it is tried again.
    """
    ends = [lease.reason for lease in earlier].count("out_of_memory")
    if needs.memory_gb is None or ends < 2:
        return needs
    largest = max((node.memory_gb for node in nodes if fits(replace(needs, memory_gb=None), node)), default=0.0)
    wanted = needs.memory_gb * _MORE ** (ends - 1)
    return replace(needs, memory_gb=max(needs.memory_gb, min(wanted, largest)))
