"""What others take for the same: vidstabdetect of FFmpeg, and dense TV-L1 flow of OpenCV's contributed modules."""

import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import UnavailableError, seconds
from cv_pipelines.settings import ROOT

Vidstab = NDArray[np.float64]
"""Translation of each interval in pixels of the video, shape (n, 2)."""
_CONTRIB = "opencv-contrib-python-headless==4.12.0.88"
_FLOW = """
import sys, time, json, cv2, numpy as np
pictures = np.load(sys.argv[1])
flow = cv2.optflow.DualTVL1OpticalFlow_create()
times = []
for before, after in zip(pictures, pictures[1:]):
    started = time.perf_counter()
    flow.calc(before, after, None)
    times.append(time.perf_counter() - started)
print(json.dumps(sorted(times)[len(times) // 2]))
"""


@cache
def _ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    filters = (
        program and subprocess.run([program, "-hide_banner", "-filters"], capture_output=True, text=True).stdout
    )
    if not program or "vidstabdetect" not in (filters or ""):
        raise UnavailableError("FFmpeg with vidstabdetect is missing (apt-get install ffmpeg)")
    return program


def vidstab_seconds(file: Path, width: int) -> float:
    """How long vidstabdetect takes, decoding included; on pictures `width` pixels wide, 0: as they are."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds(lambda: _detect(file, width, Path(folder)))


def vidstab_motions(file: Path, width: int) -> Vidstab:
    """What it finds: vidstabtransform writes what it would undo."""
    with tempfile.TemporaryDirectory() as folder:
        _detect(file, width, Path(folder))
        undo = f"{_scaled(width)}vidstabtransform=input=found.trf:debug=1:smoothing=0"
        _run(file, undo, Path(folder))
        lines = Path(folder, "global_motions.trf").read_text().splitlines()
    rows = np.array([line.split()[1:3] for line in lines if line and not line.startswith("#")], float)
    with av.open(str(file)) as container:
        factor = container.streams.video[0].width / width if width else 1.0
    return -rows[1:] * factor


def tv_l1_seconds(file: Path, intervals: int = 12) -> float:
    """Seconds of dense TV-L1 flow for an interval at 480 x 270, in an environment of its own."""
    python = _contrib_python()
    pictures = []
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            pictures.append(frame.reformat(480, 270, "gray8").to_ndarray())
            if len(pictures) > intervals:
                break
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "pictures.npy")
        np.save(saved, np.array(pictures))
        done = subprocess.run([python, "-c", _FLOW, saved], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def _contrib_python() -> Path:
    folder = ROOT / ".cv" / "cache" / "opencv-contrib"
    python = folder / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", _CONTRIB], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnavailableError(f"{_CONTRIB} cannot be installed: {error}") from error
    return python


def _detect(file: Path, width: int, folder: Path) -> None:
    _run(file, f"{_scaled(width)}vidstabdetect=result=found.trf", folder)


def _scaled(width: int) -> str:
    return f"scale={width}:-2," if width else ""


def _run(file: Path, filters: str, folder: Path) -> None:
    command = [_ffmpeg(), "-hide_banner", "-loglevel", "error", "-i", str(file), "-vf", filters, "-f", "null", "-"]
    subprocess.run(command, check=True, cwd=folder)
