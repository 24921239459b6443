"""COCO with a million boxes on 100,000 images: read and written in fresh processes, against `json.load`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, figure
from cv_pipelines.settings import ROOT

IMAGES, BOXES, CLASSES = 100_000, 1_000_000, 80
MOST = 6.0
MEMORY = 500e6
_START = """
import json, sys, time
import numpy as np
from pathlib import Path
from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.exchange import Exchange, passed
from cv_pipelines.annotations.formats.coco import COCO
source, exchange = Path(sys.argv[1]), Exchange()

def stream():
    for first in range(0, 100_000, 1000):
        places = np.round(np.random.default_rng(first).uniform(1, 400, (1000, 10, 4)), 2).tolist()
        for number, rows in enumerate(places, start=first):
            boxes = tuple([Box(f"class {number % 80}", *row) for row in rows])
            yield Annotation(f"camera-{number % 40}/IMG_{number:07}.jpg", 1920, 1080, (), boxes)

started, cpu = time.perf_counter(), time.process_time()
"""
_END = """
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - started}
print(json.dumps({**seconds, "peak": peak, "boxes": exchange.report.boxes}))
"""
_WORK = {
    "load": "json.load(source.open())",
    "import": "for one in passed(COCO.read(source, exchange), exchange): pass",
    "export": "COCO.write(passed(stream(), exchange), source.with_name('out.json'), exchange)",
}


def measure(rounds: int) -> list[Figure]:
    """Within six times the load and 500 MB; processor time, since one core does all of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "instances.json")
        write_coco(path)
        found = [{what: _run(what, path) for what in _WORK} for _ in range(rounds)]
    figures = []
    for what in ("import", "export"):
        if any(one[what]["boxes"] != BOXES for one in found):
            raise RuntimeError(f"the {what} lost boxes")
        ratios = [one[what]["cpu"] / one["load"]["cpu"] for one in found]
        peaks = [one[what]["peak"] for one in found]
        best, load = min(one[what]["cpu"] for one in found), min(one["load"]["cpu"] for one in found)
        detail = f"{best:.1f} s of processor time, json.load {load:.1f} s"
        figures.append(figure(f"{what} of {BOXES:,} boxes / json.load", ratios, MOST, True, detail))
        detail = f"{max(peaks) / 1e6:,.0f} MB, json.load {found[0]['load']['peak'] / 1e6:,.0f} MB"
        figures.append(figure("its memory / 500 MB", [peak / MEMORY for peak in peaks], 1.0, True, detail))
    return figures


def _run(what: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-c", f"{_START}{_WORK[what]}{_END}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def write_coco(path: Path) -> None:
    """A file like those of annotation tools: boxes in no order, two decimals."""
    random = np.random.default_rng(0)
    places = np.round(random.uniform(1, 400, (BOXES, 4)), 2).tolist()
    of_images = random.integers(0, IMAGES, BOXES).tolist()
    with path.open("w") as file:
        images = (
            {"id": n, "file_name": f"camera-{n % 40}/IMG_{n:07}.jpg", "width": 1920, "height": 1080}
            for n in range(IMAGES)
        )
        file.write('{"images": [' + ", ".join(json.dumps(one) for one in images) + '], "categories": [')
        file.write(", ".join(json.dumps({"id": n + 1, "name": f"class {n}"}) for n in range(CLASSES)))
        file.write('], "annotations": [')
        for number, (place, image) in enumerate(zip(places, of_images, strict=True)):
            one = {"id": number, "image_id": image, "category_id": number % CLASSES + 1, "bbox": place}
            one |= {"area": place[2] * place[3], "iscrowd": 0, "segmentation": []}
            file.write((", " if number else "") + json.dumps(one))
        file.write("]}")


if __name__ == "__main__":
    for one in measure(3):
        print(one)
