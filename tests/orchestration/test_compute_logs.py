import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest
from dagster._core.storage.compute_log_manager import ComputeIOType, ComputeLogManager
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClassData

from cv_pipelines.orchestration import stored_compute_logs
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.protocol import ObjectStore
from tests.installation import wait_for
from tests.servers import S3

KEY = ["a-run", "compute_logs", "a-step"]
Machine = Callable[..., ComputeLogManager[Any]]


@pytest.fixture
def bucket(s3: S3) -> str:
    return f"{s3.new_bucket()}/cv"


@pytest.fixture
def machine(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """`machine(name, store_url=…)`: the compute logs of a machine with its own disk, as dagster.yaml has them."""
    opened: list[ComputeLogManager[Any]] = []

    def start(name: str, store_url: str = bucket) -> ComputeLogManager[Any]:
        monkeypatch.setenv("CV_STATE", str(tmp_path / name))
        monkeypatch.setenv("CV_STORE_URL", store_url)
        load_settings.cache_clear()
        data = ConfigurableClassData("cv_pipelines.orchestration.compute_logs", "ComputeLogs", "{}")
        opened.append(data.rehydrate(cast(type[ComputeLogManager[Any]], ComputeLogManager)))
        return opened[-1]

    yield start
    for manager in opened:
        manager.dispose()
    load_settings.cache_clear()


@pytest.fixture
def store(bucket: str) -> ObjectStore:
    return open_store(bucket)


def keys(store: ObjectStore) -> list[str]:
    return [stored.key for stored in store.objects("")]


def printed(manager: ComputeLogManager[Any]) -> tuple[bytes | None, bytes | None]:
    data = manager.get_log_data(KEY)
    return data.stdout, data.stderr


def test_what_a_step_printed_is_seen_on_another_machine(
    machine: Machine, store: ObjectStore, tmp_path: Path
) -> None:
    worker, other = machine("worker"), machine("other")
    with worker.capture_logs(KEY):
        print("for people", flush=True)
        print("größe", file=sys.stderr, flush=True)

    assert other.is_capture_complete(KEY)
    assert printed(other) == (b"for people\n", "größe\n".encode())
    assert other.get_log_data(KEY, cursor="4:0", max_bytes=6).stdout == b"people"
    assert keys(store) == [
        "compute-logs/a-run/compute_logs/a-step.err",
        "compute-logs/a-run/compute_logs/a-step.out",
    ]
    assert [path.name for path in (tmp_path / "worker").rglob("a-step.*")] == []


def test_what_a_running_step_has_printed_is_seen_before_it_ends(
    machine: Machine, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_compute_logs, "UPLOAD_SECONDS", 0.1)
    worker, other = machine("worker"), machine("other")
    with worker.capture_logs(KEY):
        print("begun", flush=True)
        wait_for(lambda: printed(other)[0] == b"begun\n")
        assert not other.is_capture_complete(KEY)

    assert printed(other) == (b"begun\n", b"")
    assert [key for key in keys(store) if key.endswith(".partial")] == []


def test_somebody_who_watches_gets_the_rest_as_it_comes(machine: Machine) -> None:
    worker, other = machine("worker"), machine("other")
    with worker.capture_logs(KEY):
        print("whole", flush=True)
    seen: list[bytes | None] = []

    subscription = other.subscribe(KEY)
    subscription(lambda data: seen.append(data.stdout))

    assert seen == [b"whole\n"]
    assert subscription.is_complete


def test_logs_are_found_by_prefix_and_deleted_by_name_or_prefix(machine: Machine, store: ObjectStore) -> None:
    manager = machine("worker")
    for key in (
        ["sensor", "ticks", "1"],
        ["sensor", "ticks", "12"],
        ["sensor", "ticks", "deep", "3"],
        ["other", "x"],
    ):
        with manager.open_log_stream(key, ComputeIOType.STDERR) as stream:
            assert stream is not None
            cast(IO[str], stream).write(f"{key}\n")  # no bytes, whatever Dagster says

    found = manager.get_log_keys_for_log_key_prefix(["sensor", "ticks"], ComputeIOType.STDERR)
    assert found == [["sensor", "ticks", "1"], ["sensor", "ticks", "12"]]
    manager.delete_logs(log_key=["sensor", "ticks", "1"])
    assert [key for key in keys(store) if key.endswith("/1.err")] == []
    assert manager.is_capture_complete(["sensor", "ticks", "12"])
    manager.delete_logs(prefix=["sensor"])
    assert keys(store) == ["compute-logs/other/x.err", "compute-logs/other/x.out"]


def test_the_ui_is_told_where_a_log_is(machine: Machine, bucket: str) -> None:
    told = machine("worker").get_log_metadata(KEY)

    assert told.stdout_location == f"{bucket}/compute-logs/a-run/compute_logs/a-step.out"
    assert told.stderr_download_url == "/logs/a-run/compute_logs/a-step/err"


def test_a_key_cannot_reach_other_objects(machine: Machine, store: ObjectStore) -> None:
    store.put("parts/secret.err", b"secret")

    with pytest.raises(ValueError, match=r"not a key|Invalid path"):
        machine("worker").get_log_data(["..", "parts", "secret"])


def test_without_a_bucket_logs_are_files_in_a_folder_of_their_own_where_old_ones_move_to(
    machine: Machine, tmp_path: Path
) -> None:
    run = "280ce24b-414c-47c4-8fdf-a5f30a130251"
    old = tmp_path / "state" / run / "compute_logs"
    old.mkdir(parents=True)
    (old / "step.err").write_bytes(b"an earlier run")
    (old / "step.complete").touch()

    for manager in (machine("state", ""), machine("state", "")):
        assert isinstance(manager, LocalComputeLogManager)
        assert manager.is_capture_complete([run, "compute_logs", "step"])
        assert manager.get_log_data([run, "compute_logs", "step"]).stderr == b"an earlier run"
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["compute_logs"]
