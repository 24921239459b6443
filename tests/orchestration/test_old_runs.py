from dagster import DagsterInstance, DagsterRunStatus, job, op

from cv_pipelines.orchestration.old_runs import delete_old_runs


@op
def nothing() -> None: ...


@job
def exercise() -> None:
    nothing()


@job
def sync() -> None:
    nothing()


def test_only_old_runs_that_did_nothing_but_tasks_go_and_a_few_at_a_time() -> None:
    with DagsterInstance.ephemeral() as instance:
        done = [exercise.execute_in_process(instance=instance).run_id for _ in range(3)]
        of_data = sync.execute_in_process(instance=instance).run_id
        at_work = instance.create_run_for_job(exercise, status=DagsterRunStatus.STARTED).run_id
        assert delete_old_runs(instance, days=1, most=10) == 0

        first, rest = delete_old_runs(instance, days=0, most=2), delete_old_runs(instance, days=0, most=10)

        assert (first, rest) == (2, 1)
        assert not any(instance.has_run(run) for run in done)
        assert instance.has_run(of_data)
        assert instance.has_run(at_work)
