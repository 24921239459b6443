"""Whether processors, memory, disks and GPUs are what steps ask for. Pure."""

from collections.abc import Sequence

from cv_pipelines.execution.node_check.finding import Finding
from cv_pipelines.execution.node_check.hardware import Gpus, Machine
from cv_pipelines.execution.node_check.probe import Measured
from cv_pipelines.execution.node_check.wanted import Most, StepNeeds, most

LITTLE_GB = 5.0
ENOUGH_GB = 20.0
"""Of free disk: an image with TensorFlow and CUDA has up to 10 GB, and a new one is fetched beside the old one."""
_LARGER = "Run such steps on a larger machine (choose the jobs of this one with --for), or lower the tag {tag}."


def judge_machine(machine: Measured[Machine], steps: Sequence[StepNeeds]) -> list[Finding]:
    """CPUs and memory against what the largest step asks for."""
    if machine.value is None:
        return [Finding("CPUs and memory", machine.problem, "an answer", "missing", "Look into the system's log.")]
    cpus, memory = most(steps, lambda needs: needs.cpus), most(steps, lambda needs: needs.memory_gb)
    has = machine.value
    return [
        _amount("CPUs", has.cpus, f"{has.cpus}", cpus, "", "cv/cpus"),
        _amount("memory", has.memory_gb, f"{has.memory_gb:.1f} GB", memory, " GB", "cv/memory_gb"),
    ]


def judge_disk(what: str, place: str, free: Measured[float]) -> Finding:
    """Free space of a folder, in GB."""
    check, needed = f"disk: {what}", f"{ENOUGH_GB:g} GB free"
    if free.value is None:
        return Finding(check, f"{place}: {free.problem}", needed, "warning", "Look at it as a user who may.")
    found = f"{free.value:.1f} GB free in {place}"
    if free.value >= ENOUGH_GB:
        return Finding(check, found, needed, "ok")
    mend = f"Make room on the disk of {place}; 'docker system prune' removes images that nobody uses."
    return Finding(check, found, needed, "missing" if free.value < LITTLE_GB else "warning", mend)


def judge_gpus(gpus: Measured[Gpus], steps: Sequence[StepNeeds]) -> list[Finding]:
    """GPUs and their driver against what the largest step asks for."""
    wanted = most(steps, lambda needs: needs.gpus)
    has = gpus.value or Gpus(problem=gpus.problem)
    return [_amount("GPUs", has.count, _named(has), wanted, "", "cv/gpus"), _driver(has, wanted)]


def _driver(gpus: Gpus, wanted: Most) -> Finding:
    if gpus.driver:
        return Finding("GPU driver", f"{gpus.driver}, for CUDA up to {gpus.cuda}", _of(wanted, ""), "ok")
    if not wanted.amount:
        return Finding("GPU driver", gpus.problem, "nothing", "skipped")
    mend = "Install NVIDIA's driver (docs/worker-nodes.md) and see that nvidia-smi lists the GPUs."
    if gpus.stated is not None:
        return Finding("GPU driver", f"{gpus.problem}; CV_NODE_GPUS is {gpus.stated}", "a driver", "warning", mend)
    return Finding("GPU driver", gpus.problem, f"for {_of(wanted, '')}", "missing", mend)


def _named(gpus: Gpus) -> str:
    if gpus.stated is not None:
        return f"{gpus.stated} (CV_NODE_GPUS)"
    kinds = dict.fromkeys(zip(gpus.names, gpus.memory_gb, strict=True))
    each = [f"{gpus.names.count(name)} × {name} ({size:.0f} GB)" for name, size in kinds]
    return ", ".join(each) or "none"


def _amount(check: str, has: float, found: str, wanted: Most, unit: str, tag: str) -> Finding:
    needed = _of(wanted, unit)
    if has >= wanted.amount:
        return Finding(check, found, needed, "ok")
    return Finding(check, found, needed, "missing", _LARGER.format(tag=tag))


def _of(wanted: Most, unit: str) -> str:
    return f"{wanted.amount:g}{unit} ({wanted.by})" if wanted.amount else "nothing"
