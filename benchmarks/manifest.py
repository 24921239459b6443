"""A manifest of a million images: read, one column filtered, its version computed, in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import Figure, figure, temporary_catalog
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.settings import ROOT

ROWS = 1_000_000
SECONDS = 3.0
MEMORY = 1024**3
_READER = """
import json, sys, time
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cv_pipelines.images.manifest import QUARANTINE, manifest_version
started = time.perf_counter()
images = pq.read_table(sys.argv[1])
wide = images.filter(pc.greater(images["width"], 3000)).num_rows
version = manifest_version(images, QUARANTINE.empty_table())
seconds = time.perf_counter() - started
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
print(json.dumps({"seconds": seconds, "peak": peak, "wide": wide, "version": version}))
"""


def measure(rounds: int) -> list[Figure]:
    """Within three seconds and a gigabyte."""
    with temporary_catalog() as (_, folder):
        path = folder / "images.parquet"
        pq.write_table(_manifest(ROWS), path, compression="zstd")
        found = [_read(path) for _ in range(rounds)]
    times, peaks = [one["seconds"] for one in found], [one["peak"] for one in found]
    what = f"{ROWS:,} rows read, filtered, version computed"
    return [
        figure("a million rows / 3 s", [one / SECONDS for one in times], 1.0, True, f"{min(times):.2f} s: {what}"),
        figure(
            "their memory / 1 GiB", [one / MEMORY for one in peaks], 1.0, True, f"{max(peaks) / 1024**2:,.0f} MiB"
        ),
    ]


def _read(path: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _READER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _manifest(rows: int) -> pa.Table:
    """Rows as an ingest makes them, with made-up values."""
    random = np.random.default_rng(0)
    ids = np.sort(np.frombuffer(random.bytes(32 * rows), "S32"))
    names = [value.ljust(32, b"\0").hex() for value in ids.tolist()]
    paths = [f"camera-{row % 40:02}/2026-{row % 12 + 1:02}/IMG_{row:07}.jpg" for row in range(rows)]
    columns = {
        "image_id": names,
        "sources": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32), pa.array(paths)),
        "uri": [f"packs/{row // 256:064x}@{row % 256 * 50_000}+50000" for row in range(rows)],
        "width": random.integers(200, 4000, rows).astype(np.int32),
        "height": random.integers(200, 4000, rows).astype(np.int32),
        "channels": np.full(rows, 3, np.int8),
        "format": ["JPEG"] * rows,
        "orientation": np.ones(rows, np.int8),
        "frames": np.ones(rows, np.int32),
        "bytes": np.full(rows, 50_000, np.int64),
        "perceptual_hash": [name[:16] for name in names],
        "source_label": [f"class-{row % 10}" for row in range(rows)],
        "source_split": pa.nulls(rows, pa.string()),
        "source_group": [f"camera-{row % 40:02}" for row in range(rows)],
        **{
            name: random.random(rows, np.float32) for name in ("brightness", "contrast", "saturation", "sharpness")
        },
    }
    return pa.table(columns).select(IMAGES.names).cast(IMAGES)
