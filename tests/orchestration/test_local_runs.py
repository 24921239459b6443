"""Of runs of this machine that begin at once, one goes on."""

import threading

import pytest
from dagster import AssetKey, DagsterInstance
from dagster._core.utils import make_new_run_id

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.local_runs import create_run, execute_here, run_in_progress
from tests.orchestration.conftest import World


def test_a_second_run_of_a_partition_gives_way_and_leaves_nothing_behind(
    instance: DagsterInstance, world: World
) -> None:
    job = world.defs.resolve_job_def("all")
    instance.add_dynamic_partitions("dataset", ["a", "b"])
    first = create_run(instance, job, "a", make_new_run_id(), {})
    with pytest.raises(InputError, match=f"'a' is being worked on by run {first.run_id}"):
        create_run(instance, job, "a", make_new_run_id(), {})
    assert [run.run_id for run in instance.get_runs()] == [first.run_id]
    create_run(instance, job, "b", make_new_run_id(), {})
    execute_here(instance, job, first)
    done = instance.get_run_by_id(first.run_id)
    assert done is not None
    assert done.is_success
    assert instance.get_materialized_partitions(AssetKey("names")) == {"a"}
    create_run(instance, job, "a", make_new_run_id(), {})


def test_of_many_at_once_one_goes_on(instance: DagsterInstance, world: World) -> None:
    job = world.defs.resolve_job_def("all")
    instance.add_dynamic_partitions("dataset", ["a"])
    number = 6
    barrier = threading.Barrier(number)
    begun, refused = [], []

    def work() -> None:
        barrier.wait()
        try:
            begun.append(create_run(instance, job, "a", make_new_run_id(), {}).run_id)
        except InputError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1
    assert refused == ["busy"] * (number - 1)
    assert [run.run_id for run in instance.get_runs()] == begun


def test_a_run_is_in_progress_until_it_has_ended(world: World) -> None:
    world.instance.add_dynamic_partitions("dataset", ["a"])
    run = create_run(world.instance, world.defs.resolve_job_def("all"), "a", make_new_run_id(), {})
    assert run_in_progress(world.instance, "a") == run.run_id
    assert run_in_progress(world.instance, "a", before=run.run_id) is None
    assert run_in_progress(world.instance, "b") is None
    execute_here(world.instance, world.defs.resolve_job_def("all"), run)
    assert run_in_progress(world.instance, "a", queued=True) is None
