"""Loading the definitions in a fresh interpreter, against importing Dagster alone."""

import subprocess
import sys

from benchmarks.measure import Figure, figure, seconds
from cv_pipelines.settings import ROOT


def measure(rounds: int) -> list[Figure]:
    """At most twice as long."""

    def fresh(module: str) -> float:
        command = [sys.executable, "-c", f"import {module}"]
        return seconds(lambda: subprocess.run(command, check=True, cwd=ROOT))

    fresh("cv_pipelines.definitions")
    pairs = [(fresh("cv_pipelines.definitions"), fresh("dagster")) for _ in range(rounds)]
    ours, theirs = min(a for a, _ in pairs), min(b for _, b in pairs)
    detail = f"{ours:.2f} s against {theirs:.2f} s"
    return [figure("loading the definitions / import dagster", [a / b for a, b in pairs], 2.0, True, detail)]
