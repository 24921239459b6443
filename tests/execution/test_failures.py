"""Errors become failures that are retried only where that can help."""

import pytest
from dagster import DagsterInstance, Failure, RetryRequested, asset, materialize

from cv_pipelines.errors import (
    CvError,
    InfrastructureError,
    InputError,
    InternalError,
    ResourceError,
    SubmissionError,
)
from cv_pipelines.execution.attempts import failures_of
from cv_pipelines.execution.failures import STEP_RETRIES, mapped_errors

QUICK = STEP_RETRIES._replace(delay=0.0, backoff=None, jitter=None)


def attempts_of(error: Exception) -> tuple[int, str]:
    """How often a step that always fails is tried, and what its failure says in the end."""
    tries = []

    @asset(retry_policy=QUICK)
    def failing() -> None:
        tries.append(1)
        with mapped_errors():
            raise error

    with DagsterInstance.ephemeral() as instance:
        result = materialize([failing], instance=instance, raise_on_error=False)
        data = result.filter_events(lambda event: event.is_step_failure)[0].step_failure_data
    assert data.user_failure_data is not None
    return len(tries), str(data.user_failure_data.metadata["source"].value)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (InputError("bad", "Bad data."), 1),
        (SubmissionError("theirs", "Their code."), 1),
        (ResourceError("memory", "Too large."), 3),
        (InfrastructureError("store", "Away."), 3),
        (InternalError("bug", "Ours."), 2),
    ],
)
def test_each_source_is_tried_as_often_as_agreed(error: CvError, tries: int) -> None:
    assert attempts_of(error) == (tries, error.source)


def test_an_unknown_error_is_a_fault_of_ours() -> None:
    assert attempts_of(ZeroDivisionError("by zero")) == (2, "internal")


def test_failures_of_dagster_pass_unchanged() -> None:
    for error in (Failure("as it is"), RetryRequested(max_retries=7)):
        with pytest.raises(type(error)) as caught, mapped_errors():
            raise error
        assert caught.value is error


def test_a_step_knows_how_often_it_ran_out_of_memory() -> None:
    seen: list[int] = []

    @asset(retry_policy=QUICK)
    def hungry(context) -> None:  # type: ignore[no-untyped-def]
        seen.append(failures_of(context, ResourceError))
        with mapped_errors():
            if len(seen) == 1:
                raise InfrastructureError("store", "Away.")
            if len(seen) == 2:
                raise ResourceError("memory", "Too large.")

    with DagsterInstance.ephemeral() as instance:
        assert materialize([hungry], instance=instance).success
    assert seen == [0, 0, 1], "only running out of memory makes batches smaller, not every retry"
