"""The end of a run's log."""

from dagster import DagsterInstance, OpExecutionContext, job, op

from cv_pipelines.errors import InputError
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.orchestration.run_log import MOST_LINES, last_lines


@op
def talk(context: OpExecutionContext) -> None:
    for number in range(200):
        context.log.info(f"line {number} {'x' * 1000}")
    with mapped_errors():
        raise InputError("one_class", "Label at least two classes.")


@op
def stumble() -> None:
    raise ValueError("nobody expected this")


@job
def talks() -> None:
    talk()


@job
def stumbles() -> None:
    stumble()


def test_the_last_lines_end_with_what_went_wrong_and_are_few() -> None:
    with DagsterInstance.ephemeral() as instance:
        run = talks.execute_in_process(instance=instance, raise_on_error=False)
        lines = last_lines(instance, run.run_id)

    assert len(lines) == MOST_LINES
    assert max(map(len, lines)) <= 400
    assert any("talk: line 199 x" in line for line in lines)
    assert not any("line 100 " in line for line in lines)
    assert any("Label at least two classes." in line for line in lines)


def test_an_error_of_ours_is_shown_with_its_trace() -> None:
    with DagsterInstance.ephemeral() as instance:
        run = stumbles.execute_in_process(instance=instance, raise_on_error=False)
        lines = last_lines(instance, run.run_id)

    assert any("ValueError: nobody expected this" in line for line in lines)
    assert any('raise ValueError("nobody expected this")' in line for line in lines)


def test_of_a_run_that_is_gone_there_is_nothing() -> None:
    with DagsterInstance.ephemeral() as instance:
        assert last_lines(instance, "none") == []
