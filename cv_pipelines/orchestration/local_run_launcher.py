"""Dagster's own launcher, which starts a process of the code server for each run, with an eye on these."""

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, LaunchRunContext, WorkerStatus

from cv_pipelines.orchestration.lost_runs import DIED, LAUNCHED, is_lost, name_of


class LocalRunLauncher(DefaultRunLauncher):
    """What `run_launcher` names: the daemon asks it every few seconds which runs live, and fails the others.

    A worker that is frozen lives: its run is ended by `max_runtime_seconds`.
    """

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run, and note where."""
        run_id = context.dagster_run.run_id
        self._instance.add_run_tags(run_id, {LAUNCHED: name_of(run_id)})
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: that is what it is for."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Look for the process of a run, also of one that executes in the process of a command."""
        if is_lost(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, DIED)
        return CheckRunHealthResult(WorkerStatus.RUNNING)
