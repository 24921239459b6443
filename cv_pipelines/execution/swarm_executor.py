"""The executor of the tier of worker nodes: each step is a container somewhere in a Docker Swarm."""

from collections.abc import Iterator, Sequence

from dagster import (
    DagsterEvent,
    DagsterInstance,
    DagsterRunStatus,
    Executor,
    InitExecutorContext,
    MetadataValue,
    executor,
)
from dagster._core.definitions.executor_definition import multiple_process_executor_requirements
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.context.system import IStepContext, PlanOrchestrationContext
from dagster._core.execution.plan.objects import StepFailureData, UserFailureData
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.step_delegating import StepDelegatingExecutor
from dagster_shared.error import SerializableErrorInfo
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import (
    InfrastructureError,
    InputError,
    InternalError,
    ResourceError,
    Source,
    SubmissionError,
)
from cv_pipelines.execution.swarm_handler import SwarmStepHandler
from cv_pipelines.execution.verdict import Over

_POLL_SECONDS = 0.2
_HEALTH_SECONDS = 1
_PATIENCE = 60.0
"""Seconds for which a database that is away is waited for."""
_ERRORS = (InputError, SubmissionError, ResourceError, InfrastructureError, InternalError)
_CLASSES: dict[Source, str] = {error.source: error.__name__ for error in _ERRORS}
"""What a failed attempt is recorded as: the next one sees by whose fault it was (execution/attempts.py)."""
_MOST_RETRIES: dict[Source, int] = {"input": 0, "submission": 0, "internal": 1}


@executor(name="swarm", requirements=multiple_process_executor_requirements())
def swarm_executor(init_context: InitExecutorContext) -> Executor:
    """Runs each step as a container on a node of a Docker Swarm; set up by the variables CV_SWARM_…."""
    from cv_pipelines.database.engine import open_database
    from cv_pipelines.execution.swarm_engine import SwarmEngine
    from cv_pipelines.settings import load_settings, load_swarm_settings

    database = load_settings().database
    if database.startswith("sqlite"):
        message = "Worker nodes need one database for all of them: set CV_DATABASE_URL to a Postgres."
        raise InputError("database_url", message)
    if load_settings().store.startswith("file:"):
        message = "Worker nodes need one object store for all of them: set CV_STORE_URL to an S3 bucket."
        raise InputError("store_url", message)
    return SwarmExecutor(SwarmStepHandler(SwarmEngine(), open_database(database), load_swarm_settings()))


class SwarmExecutor(StepDelegatingExecutor):
    """Dagster's executor for steps elsewhere, which tries again only what can be helped by it."""

    def __init__(self, handler: SwarmStepHandler) -> None:
        """Steps by `handler`."""
        super().__init__(
            handler,
            retries=RetryMode.ENABLED,
            sleep_seconds=_POLL_SECONDS,
            check_step_health_interval_seconds=_HEALTH_SECONDS,
            should_verify_step=True,
        )
        self._handler = handler

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Execute a run's steps, and leave no container behind that nobody will come back for."""
        try:
            yield from super().execute(plan_context, execution_plan)
        except DagsterExecutionInterruptedError:
            # where runs are resumed, Dagster ends no step, also when it was a person who has cancelled the run
            run = _again()(plan_context.instance.get_run_by_id, plan_context.run_id)
            if run is None or run.is_finished or run.status == DagsterRunStatus.CANCELING:
                self._handler.end_all()
            raise
        self._handler.clean_up()

    def _pop_events(
        self, instance: DagsterInstance, run_id: str, seen_storage_ids: set[int]
    ) -> Sequence[DagsterEvent]:
        """What is new in the event log; a database that restarts ends no run."""
        events = _again()(super()._pop_events, instance, run_id, seen_storage_ids)
        for event in events:
            is_last = event.is_step_success or event.is_step_failure or event.is_step_up_for_retry
            if is_last and event.step_key is not None:
                self._handler.finished(run_id, event.step_key)
        _again()(self._handler.end_lingering)
        return events

    def log_failure_or_retry_event_after_error(
        self, step_context: IStepContext, err_info: SerializableErrorInfo, known_state: KnownExecutionState
    ) -> DagsterEvent:
        """Another attempt or the failure of a step whose container is over, by the source of the error."""
        return _again()(self._failure_or_retry, step_context, err_info, known_state)

    def _failure_or_retry(
        self, step_context: IStepContext, err_info: SerializableErrorInfo, known_state: KnownExecutionState
    ) -> DagsterEvent:
        verdict = self._handler.verdict_on(step_context.step.key)
        if verdict is None:
            return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)
        error = SerializableErrorInfo(f"{verdict.message}\n", [], _CLASSES[verdict.source])
        policy = step_context.op_retry_policy
        most = min(policy.max_retries, _MOST_RETRIES.get(verdict.source, policy.max_retries)) if policy else 0
        tried = known_state.get_retry_state().get_attempt_count(step_context.step.key)
        if tried >= most or verdict.is_final or step_context.retry_mode.disabled:
            return _failure(step_context, error, verdict)
        return super().log_failure_or_retry_event_after_error(step_context, error, known_state)


def _again() -> Retrying:
    """Repeats what a database that is away has spoiled."""
    return Retrying(
        retry=retry_if_exception(is_outage), stop=stop_after_delay(_PATIENCE), wait=wait_fixed(1), reraise=True
    )


def _failure(step_context: IStepContext, error: SerializableErrorInfo, verdict: Over) -> DagsterEvent:
    """The final failure of a step, with the same facts as one that the step itself has raised."""
    facts = {"source": MetadataValue.text(verdict.source), "code": MetadataValue.text(verdict.code)}
    data = StepFailureData(error=error, user_failure_data=UserFailureData("failure", verdict.message, facts))
    return DagsterEvent.step_failure_event(step_context=step_context, step_failure_data=data)
