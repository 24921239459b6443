"""Looking at the machine: processors, memory, disks, GPUs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from cv_pipelines.execution.guard.gpus import stated_gpus

_GB = 1_000_000_000


@dataclass(frozen=True)
class Machine:
    """Processors and memory.

    Attributes:
        cpus: cores, as Docker counts them.
        memory_gb: in GB (10⁹ bytes).
    """

    cpus: int
    memory_gb: float


@dataclass(frozen=True)
class Gpus:
    """GPUs, as NVIDIA's driver tells.

    Attributes:
        names: one for each.
        memory_gb: of each, in GB (10⁹ bytes).
        driver: its version; empty where there is none.
        cuda: the newest CUDA that it can.
        problem: why the driver told nothing.
        stated: how many there are in the words of CV_NODE_GPUS; None where it is not set.
    """

    names: tuple[str, ...] = ()
    memory_gb: tuple[float, ...] = ()
    driver: str = ""
    cuda: str = ""
    problem: str = ""
    stated: int | None = None

    @property
    def count(self) -> int:
        """How many steps can have: what is stated counts, as it does for their guard."""
        return len(self.names) if self.stated is None else self.stated


def look_at_machine() -> Machine:
    """Count processors and memory."""
    return Machine(psutil.cpu_count() or 1, psutil.virtual_memory().total / _GB)


def free_gb(folder: Path) -> float:
    """Free space in a folder, or in what will hold it, in GB (10⁹ bytes).

    Raises:
        OSError: it cannot be looked at.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free / _GB


def look_at_gpus() -> Gpus:
    """Ask the driver; that there is none is an answer, too."""
    stated = stated_gpus()
    try:
        import pynvml
    except ImportError:
        return Gpus(problem="the package nvidia-ml-py is not installed", stated=stated)
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Gpus(problem=str(error), stated=stated)
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        cuda = int(pynvml.nvmlSystemGetCudaDriverVersion())
        return Gpus(
            names=tuple(str(pynvml.nvmlDeviceGetName(handle)) for handle in handles),
            memory_gb=tuple(pynvml.nvmlDeviceGetMemoryInfo(handle).total / _GB for handle in handles),
            driver=str(pynvml.nvmlSystemGetDriverVersion()),
            cuda=f"{cuda // 1000}.{cuda % 1000 // 10}",
            stated=stated,
        )
    except pynvml.NVMLError as error:
        return Gpus(problem=str(error), stated=stated)
    finally:
        pynvml.nvmlShutdown()
