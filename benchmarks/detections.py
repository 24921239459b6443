"""A million detections on 100,000 images: judged in a fresh process, of 80 classes and all of one."""

import json
import subprocess
import sys

from benchmarks.measure import Figure, figure
from cv_pipelines.settings import ROOT

IMAGES, DETECTIONS = 100_000, 1_000_000
SECONDS = 300.0
MOST = {80: 0.5e9, 1: 3.5e9}
"""Bytes that may be used, by the number of classes: the library holds one class at a time."""
_WORK = """
import json, sys, time
import numpy as np
import pyarrow as pa
from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.detections.detection import DETECTIONS
from cv_pipelines.detections.evaluation import judge
images, detections, classes = map(int, sys.argv[1:])
half = detections // images // 2

def places(number):
    random = np.random.default_rng(number)
    return np.hstack([random.uniform(0, 500, (half, 2)), random.uniform(10, 150, (half, 2))])

def labelled():
    for number in range(images):
        rows = enumerate(places(number).tolist(), start=number)
        boxes = tuple([Box(f"class {place % classes}", *row) for place, row in rows])
        yield Annotation(f"{number}.jpg", boxes=boxes, image_id=f"{number:064}")

def seen():
    for first in range(0, images, 1000):
        some = pa.Table.from_batches(seen_in(range(first, min(first + 1000, images))))
        yield from some.combine_chunks().to_batches()

def seen_in(numbers):  # half of them beside the objects, half of them anywhere
    random = np.random.default_rng(numbers[0])
    for number in numbers:
        beside = places(number) + random.normal(0, 4, (half, 4))
        columns = np.vstack([beside, places(images + number)]).clip(1).T.tolist()
        labels = [f"class {place % classes}" for place in range(number, number + half)] * 2
        scores = random.uniform(size=2 * half).tolist()
        rows = [[f"{number:064}"] * 2 * half, labels, *columns, scores]
        yield pa.record_batch(rows, schema=DETECTIONS)

started, cpu = time.perf_counter(), time.process_time()
facts, _ = judge(labelled(), seen())
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - started}
print(json.dumps({**seconds, "peak": peak, "detections": facts["detections"], "AP50": facts["AP50"]}))
"""


def measure(rounds: int) -> list[Figure]:
    """Within minutes, and what one class takes; making the data up is part of the time."""
    figures = []
    for classes, most in MOST.items():
        found = [_run(IMAGES, DETECTIONS, classes) for _ in range(rounds)]
        if any(one["detections"] != DETECTIONS or not 0.1 < one["AP50"] < 0.9 for one in found):
            raise RuntimeError("detections are lost")
        name = f"{DETECTIONS:,} detections of {classes} classes"
        ratios = [one["wall"] / SECONDS for one in found]
        detail = f"{min(one['wall'] for one in found):.0f} s"
        figures.append(figure(f"{name} / {SECONDS:.0f} s", ratios, 1.0, True, detail))
        peaks = [one["peak"] / most for one in found]
        detail = f"{max(one['peak'] for one in found) / 1e6:,.0f} MB"
        figures.append(figure(f"its memory / {most / 1e9:.1f} GB", peaks, 1.0, True, detail))
    return figures


def _run(images: int, detections: int, classes: int) -> dict[str, float]:
    command = [sys.executable, "-c", _WORK, str(images), str(detections), str(classes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    for one in measure(1):
        print(one)
