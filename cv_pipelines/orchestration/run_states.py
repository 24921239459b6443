"""What the janitor has to know of runs, from the Dagster instance."""

import time
from collections.abc import Mapping, Sequence

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from cv_pipelines.execution.janitor import RunState

_AT_ONCE = 500


def run_states(instance: DagsterInstance, run_ids: Sequence[str]) -> Mapping[str, RunState]:
    """The states of runs by their ids; one that is not there was deleted, or is another installation's."""
    found = dict.fromkeys(run_ids, RunState(is_over=True))
    for start in range(0, len(run_ids), _AT_ONCE):
        some = RunsFilter(run_ids=list(run_ids[start : start + _AT_ONCE]))
        for record in instance.get_run_records(some):
            run, ended = record.dagster_run, record.end_time
            over_for = time.time() - ended if run.is_finished and ended else None
            is_over = run.is_finished or run.status == DagsterRunStatus.CANCELING
            found[run.run_id] = RunState(is_over, over_for)
    return found
