"""What steps print, kept where artefacts are: dagster.yaml names one class for a folder and for a bucket."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dagster._core.storage.compute_log_manager import ComputeLogManager
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from cv_pipelines.settings import load_settings


class ComputeLogs(ComputeLogManager[Any], ConfigurableClass):
    """What `compute_logs` names; gives Dagster the manager that CV_STORE_URL asks for."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing: the settings are the environment's."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> ComputeLogManager[Any]:
        """Keep logs in the state folder alone, or in the store too where all machines see it."""
        settings = load_settings()
        folder = settings.state / "compute_logs"
        local = LocalComputeLogManager(str(folder), inst_data=inst_data)
        if settings.store.startswith("file:"):
            _move_old_logs(settings.state, folder)
            return local

        from cv_pipelines.orchestration.stored_compute_logs import StoredComputeLogs

        return StoredComputeLogs(local, settings.store)


def _move_old_logs(state: Path, folder: Path) -> None:
    """Logs of runs once lay at the top of the state folder, each below the id of its run."""
    for old in state.glob("????????-????-????-????-????????????/compute_logs"):
        folder.mkdir(exist_ok=True)
        with suppress(OSError):  # another process has moved it
            old.parent.rename(folder / old.parent.name)
