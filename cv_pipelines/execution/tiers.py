"""Where steps run, by one setting: the jobs and the assets are the same everywhere."""

from dagster import ExecutorDefinition, in_process_executor

from cv_pipelines.settings import Settings


def executor_for(settings: Settings) -> ExecutorDefinition:
    """The executor that CV_EXECUTOR names."""
    if settings.executor == "swarm":
        from cv_pipelines.execution.swarm_executor import swarm_executor

        return swarm_executor
    return in_process_executor
