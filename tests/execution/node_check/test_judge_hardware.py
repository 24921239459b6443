"""What a machine has against what steps ask for."""

from pathlib import Path

import pytest

from cv_pipelines.execution.needs import Needs
from cv_pipelines.execution.node_check.hardware import Gpus, Machine, free_gb, look_at_gpus, look_at_machine
from cv_pipelines.execution.node_check.judge_hardware import judge_disk, judge_gpus, judge_machine
from cv_pipelines.execution.node_check.probe import Measured
from cv_pipelines.execution.node_check.wanted import StepNeeds

SMALL = StepNeeds("sync", "image_manifest", Needs(memory_gb=2, cpus=1))
LARGE = StepNeeds("train", "trained_model", Needs(gpus=2, memory_gb=64, cpus=16))
TWO = Gpus(("H100", "H100"), (80.2, 80.2), "550.54", "12.4")


def test_the_largest_step_decides_and_is_named() -> None:
    cpus, memory = judge_machine(Measured(Machine(8, 64.0)), [SMALL, LARGE, SMALL])

    assert (cpus.found, cpus.needed, cpus.verdict) == ("8", "16 (train: trained_model)", "missing")
    assert "cv/cpus" in cpus.mend
    assert (memory.found, memory.needed, memory.verdict) == ("64.0 GB", "64 GB (train: trained_model)", "ok")
    assert memory.mend == ""
    assert [one.verdict for one in judge_machine(Measured(Machine(8, 64.0)), [SMALL])] == ["ok", "ok"]


def test_steps_without_wishes_need_nothing() -> None:
    plain = [StepNeeds("sync", "image_manifest", Needs())]

    found = [*judge_machine(Measured(Machine(1, 1.0)), plain), *judge_gpus(Measured(Gpus(problem="none")), plain)]

    assert {one.needed for one in found} == {"nothing"}
    assert [one.verdict for one in found] == ["ok", "ok", "ok", "skipped"]


@pytest.mark.parametrize(
    ("gpus", "verdicts", "found"),
    [
        (TWO, ["ok", "ok"], "2 × H100 (80 GB)"),
        (Gpus(("H100", "A2"), (80.2, 16.0), "550", "12.4"), ["ok", "ok"], "1 × H100 (80 GB), 1 × A2 (16 GB)"),
        (Gpus(("A2",), (16.0,), "550", "12.4"), ["missing", "ok"], "1 × A2 (16 GB)"),
        (Gpus(problem="no driver"), ["missing", "missing"], "none"),
        (Gpus(problem="no driver", stated=2), ["ok", "warning"], "2 (CV_NODE_GPUS)"),
        (Gpus(("H100", "H100"), (80.2, 80.2), "550", "12.4", stated=1), ["missing", "ok"], "1 (CV_NODE_GPUS)"),
    ],
)
def test_gpus_and_their_driver(gpus: Gpus, verdicts: list[str], found: str) -> None:
    count, driver = judge_gpus(Measured(gpus), [LARGE])

    assert [count.verdict, driver.verdict] == verdicts
    assert count.found == found
    assert bool(driver.mend) == (driver.verdict != "ok")


@pytest.mark.parametrize(("free", "verdict"), [(100.0, "ok"), (12.0, "warning"), (1.0, "missing")])
def test_a_disk_that_is_nearly_full(free: float, verdict: str) -> None:
    finding = judge_disk("Docker", "/var/lib/docker", Measured(free))

    assert finding.verdict == verdict
    assert finding.found == f"{free} GB free in /var/lib/docker"


def test_a_disk_that_nobody_may_look_at_is_a_warning() -> None:
    finding = judge_disk("Docker", "/var/lib/docker", Measured(None, "Permission denied"))

    assert (finding.verdict, finding.found) == ("warning", "/var/lib/docker: Permission denied")


def test_this_machine_can_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = look_at_machine()

    assert machine.cpus >= 1
    assert 0.5 < machine.memory_gb < 100_000
    assert free_gb(tmp_path / "not" / "there" / "yet") == pytest.approx(free_gb(tmp_path), abs=1)
    monkeypatch.setenv("CV_NODE_GPUS", "3")
    assert look_at_gpus().count == 3
    monkeypatch.delenv("CV_NODE_GPUS")
    gpus = look_at_gpus()
    assert gpus.count == len(gpus.names)
    assert bool(gpus.driver) != bool(gpus.problem)
