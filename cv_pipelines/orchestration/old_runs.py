"""Runs of tasks that ended long ago: the ledger has their results, and forgets these, too."""

from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from cv_pipelines.tasks.kinds.registry import KINDS

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def delete_old_runs(instance: DagsterInstance, days: float, most: int) -> int:
    """Delete runs that did nothing but tasks, with their events and logs; those of data sets are theirs.

    Args:
        instance: where they are recorded.
        days: their age at least.
        most: runs at most; the rest is left to the next time.

    Returns:
        How many went.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    gone = 0
    for job in sorted({kind.job for kind in KINDS if kind.together}):
        old = RunsFilter(job_name=job, statuses=_ENDED, created_before=before)
        for run in instance.get_runs(old, limit=most - gone, ascending=True):
            instance.delete_run(run.run_id)
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            gone += 1
        if gone >= most:
            break
    return gone
