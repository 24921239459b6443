"""What jobs ask of a node."""

import pytest
from dagster import JobDefinition, graph, job, op

from cv_pipelines.definitions import defs
from cv_pipelines.errors import InputError
from cv_pipelines.execution.node_check.wanted import Most, choose_jobs, most, steps_of


@op(tags={"cv/gpus": "1", "cv/memory_gb": "16"})
def learn() -> None:
    """A step with wishes."""


@op
def plain() -> None:
    """A step without."""


@graph
def inner() -> None:
    """Steps inside of steps."""
    learn.tag({"cv/gpus": "4"})()


@job
def nested() -> None:
    """A graph, and a step beside it."""
    inner()
    plain()


@job(tags={"cv/memory_gb": "32"})
def hungry() -> None:
    """The tags of its runs override those of its steps."""
    learn()


def asked(one: JobDefinition) -> dict[str, tuple[int, float | None]]:
    return {step.step: (step.needs.gpus, step.needs.memory_gb) for step in steps_of([one])}


def test_steps_are_found_with_the_tags_that_count() -> None:
    assert asked(nested) == {"inner.learn": (4, 16.0), "plain": (0, None)}
    assert asked(hungry) == {"learn": (1, 32.0)}


def test_the_most_is_named_after_the_step_that_asks_for_it() -> None:
    steps = steps_of([nested, hungry])

    assert most(steps, lambda needs: needs.gpus) == Most(4, "nested: inner.learn")
    assert most(steps, lambda needs: needs.memory_gb) == Most(32.0, "hungry: learn")
    assert most(steps, lambda needs: needs.cpus) == Most()


def test_the_jobs_of_the_platform_can_be_chosen() -> None:
    jobs = defs.get_repository_def().get_all_jobs()

    chosen = choose_jobs(jobs, ["train", "sync", "train"])

    assert [one.name for one in chosen] == ["train", "sync"]
    assert {step.step for step in steps_of(chosen)} >= {"trained_model", "image_manifest"}
    assert {one.name for one in choose_jobs(jobs, [])} >= {"loop", "sync", "train", "predict"}
    assert not any(one.name.startswith("__") for one in choose_jobs(jobs, []))
    with pytest.raises(InputError, match=r"no job 'trian'; the jobs are: .*train"):
        choose_jobs(jobs, ["trian"])
