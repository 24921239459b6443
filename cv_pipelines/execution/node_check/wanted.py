"""What the steps of jobs ask of a node, from their tags."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster import GraphDefinition, JobDefinition

from cv_pipelines.errors import InputError
from cv_pipelines.execution.needs import Needs, needs_of

_PREFIX = "cv/"


@dataclass(frozen=True)
class StepNeeds:
    """What a step of a job asks for."""

    job: str
    step: str
    needs: Needs


@dataclass(frozen=True)
class Most:
    """The most that any step asks for of something, and the step that does; 0 and nobody where none does."""

    amount: float = 0.0
    by: str = ""


def steps_of(jobs: Sequence[JobDefinition]) -> list[StepNeeds]:
    """All steps of jobs, with what they ask for; the tags of a job's runs override those of its steps.

    Raises:
        InputError: a tag does not hold what it must.
    """
    return [
        StepNeeds(job.name, step, needs_of({**tags, **_ours(job.run_tags)}))
        for job in jobs
        for step, tags in _tagged(job.graph)
    ]


def choose_jobs(jobs: Sequence[JobDefinition], names: Sequence[str]) -> list[JobDefinition]:
    """The jobs of these names, or all that a person has named where none is given.

    Raises:
        InputError: there is no such job.
    """
    known = {job.name: job for job in jobs if not job.name.startswith("__")}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError("no_job", f"There is no job '{unknown[0]}'; the jobs are: {', '.join(sorted(known))}.")
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def most(steps: Sequence[StepNeeds], amount: Callable[[Needs], float | None]) -> Most:
    """The step that asks for most of something."""
    asking = [Most(amount(one.needs) or 0.0, f"{one.job}: {one.step}") for one in steps]
    return max((one for one in asking if one.amount), key=lambda one: one.amount, default=Most())


def _tagged(graph: GraphDefinition, outer: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for node in graph.nodes:
        name = f"{outer}{node.name}"
        if isinstance(node.definition, GraphDefinition):
            yield from _tagged(node.definition, f"{name}.")
        else:
            yield name, _ours(node.tags)


def _ours(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.startswith(_PREFIX)}
