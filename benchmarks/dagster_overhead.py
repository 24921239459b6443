"""The loop as a Dagster run, against the same functions called one after the other; 10,000 images."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, figure, seconds, write_pictures
from cv_pipelines.settings import ROOT

IMAGES = 10_000
ALLOWED_SECONDS = 20
SETTINGS = {"epochs": 4, "image_size": 24}


def measure(rounds: int) -> list[Figure]:
    """At most 1.15 times plus 20 s, in at most 20 steps."""
    with tempfile.TemporaryDirectory() as folder:
        source = write_pictures(Path(folder, "source"), IMAGES, (24, 24), "png")
        runs = [_round(Path(folder, str(turn)), source) for turn in range(rounds)]
    ratios = [(run - ALLOWED_SECONDS) / plain for run, plain, _ in runs]
    run, plain, steps = min(runs)
    detail = f"{run:.1f} s against {plain:.1f} s; {steps} steps"
    return [
        figure("(loop as a run - 20 s) / functions alone", ratios, 1.15, True, detail),
        figure("steps for 10,000 images", [float(steps)], 20, True, f"{IMAGES:,} images"),
    ]


def _round(folder: Path, source: Path) -> tuple[float, float, int]:
    """Wall time of a run, wall time of the functions, both in fresh processes; number of steps."""
    environment = {**os.environ, "CV_STATE": str(folder / "run"), "DAGSTER_HOME": str(ROOT)}
    cli = [str(Path(sys.executable).with_name("cv-pipelines"))]
    subprocess.run([*cli, "dataset", "add", "data", str(source)], env=environment, check=True, capture_output=True)
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    told: list[bytes] = []

    def run() -> None:
        command = [*cli, "run", "data", "--json", *settings]
        told.append(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)

    def plain() -> None:
        command = [sys.executable, "-m", "benchmarks.dagster_overhead", str(folder / "plain"), str(source)]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)

    return seconds(run), seconds(plain), len(json.loads(told[0])["steps"])


def _functions(folder: Path, source: Path) -> None:
    from benchmarks.loop import whole
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.database.engine import open_database
    from cv_pipelines.models.parameters import TrainingParameters
    from cv_pipelines.storage.local import LocalStore

    catalog = Catalog(open_database(f"sqlite:///{folder}/cv.sqlite"), LocalStore(folder / "store"))
    whole(catalog, source, TrainingParameters.model_validate(SETTINGS), folder / "cache")


if __name__ == "__main__":
    _functions(Path(sys.argv[1]), Path(sys.argv[2]))
