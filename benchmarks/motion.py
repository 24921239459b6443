"""Camera motion, against decoding alone, vidstabdetect, and dense TV-L1 flow; what more processes gain; memory."""

import statistics
import tempfile
import threading
from pathlib import Path

import av
import numpy as np
import psutil
import pyarrow as pa

from benchmarks.measure import Figure, figure, seconds
from benchmarks.motion_clips import Clip, make_clip, repeat_clip
from benchmarks.motion_rivals import Vidstab, tv_l1_seconds, vidstab_motions, vidstab_seconds
from cv_pipelines.motion.analysis import analyse_motion, plan_motion
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.videos.video import Video

_WORKERS = 2
_MEGABYTES = 500


def measure(rounds: int) -> list[Figure]:
    """All of one clip of 1080p, H.264, on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder, "clip.mp4"))
        one, two, decoded, full, small = [], [], [], [], []
        for _ in range(rounds):  # in turns: what else the machine does spoils all alike
            decoded.append(seconds(lambda: decode(clip.file)))
            two.append(seconds(lambda: analyse(clip, _WORKERS)))
            one.append(seconds(lambda: analyse(clip, 1)))
            full.append(vidstab_seconds(clip.file, 0))
            small.append(vidstab_seconds(clip.file, 640))
        found = analyse(clip, _WORKERS)
        rate = clip.frames / statistics.median(two)
        return [
            _ratio("every frame / decoding with PyAV", two, decoded, 1.5, True, f"{rate:,.0f} frames/s"),
            _ratio("frames/s / vidstabdetect, full size", full, two, 4, False, _speed(clip, full)),
            _ratio("frames/s / vidstabdetect, 640 wide", small, two, 1, False, _speed(clip, small)),
            *_errors(clip, found),
            _ratio("1 process / 2 processes", one, two, 1.7, False, f"{statistics.median(one):.1f} s with one"),
            _dense(clip, two),
            _memory(clip, Path(folder)),
        ]


def decode(file: Path) -> int:
    """Decode a clip as PyAV does by itself, with threads; how many frames there are."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def analyse(clip: Clip, workers: int) -> pa.Table:
    """Analyse all of a clip, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        return analyse_motion(
            plan_motion(Video(str(clip.file)), MotionParameters()), LocalStore(Path(folder)), workers
        )


def _ratio(name: str, over: list[float], under: list[float], limit: float, at_most: bool, detail: str) -> Figure:
    ratios = [first / second for first, second in zip(over, under, strict=True)]
    return figure(f"camera motion: {name}", ratios, limit, at_most, detail)


def _speed(clip: Clip, times: list[float]) -> str:
    return f"it makes {clip.frames / statistics.median(times):,.0f} frames/s"


def _errors(clip: Clip, found: pa.Table) -> list[Figure]:
    """Errors of translation at the 95th percentile, ours over vidstab's."""
    ours = np.stack([found[name].to_numpy() for name in ("tx", "ty")], axis=1)
    mine = _ninety_five(ours - clip.shifts)
    figures = []
    for width in (0, 640):
        theirs: Vidstab = vidstab_motions(clip.file, width)
        its = _ninety_five(theirs - clip.shifts[: len(theirs)])
        name = f"camera motion: error / vidstab's, {f'{width} wide' if width else 'full size'}"
        figures.append(
            figure(name, [mine / its], 1, True, f"{mine:.3f} px against {its:.3f} px at the 95th percentile")
        )
    return figures


def _ninety_five(errors: np.ndarray) -> float:
    return float(np.percentile(np.hypot(*errors.T), 95))


def _dense(clip: Clip, two: list[float]) -> Figure:
    each = statistics.median(two) / clip.frames
    dense = tv_l1_seconds(clip.file)
    detail = f"{dense * 1000:,.0f} ms an interval against {each * 1000:.1f} ms"
    return figure("camera motion: speed / dense TV-L1 at 480 x 270", [dense / each], 100, False, detail)


def _memory(clip: Clip, folder: Path) -> Figure:
    """The most that the analysis of a clip ten times as long takes, all processes together."""
    long = repeat_clip(clip, folder / "long.mp4", 10)
    before = psutil.Process().memory_info().rss
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.2):
            most = max(most, _resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    analyse(long, _WORKERS)
    done.set()
    watcher.join()
    detail = f"{most / 1e6:,.0f} MB for {long.frames:,} frames, two workers and their server"
    return figure("camera motion: memory / 500 MB", [most / 1e6 / _MEGABYTES], 1, True, detail)


def _resident() -> int:
    """Bytes of this process and of those that it started; shared pages count once for each."""
    total = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += process.memory_full_info().uss
        except psutil.Error:  # it has just ended
            continue
    return total
