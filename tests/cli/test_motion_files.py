"""`cv-pipelines motion analyse` and `motion regions`: what a person sees."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from cv_pipelines.cli.main import main
from cv_pipelines.motion.files import write_motion
from cv_pipelines.motion.intervals import INTERVALS, MotionFacts, facts_of
from cv_pipelines.settings import ROOT, load_settings
from tests.installation import PATIENCE
from tests.motion.clips import Picture, camera, scene_of, shaken, views, write_clip

SIZE = (640, 360)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """`run(*words)`: a command, in a folder and with a state of its own."""
    monkeypatch.setenv("CV_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(main, ["motion", *words])
    load_settings.cache_clear()


def pictures(count: int = 40) -> Iterator[Picture]:
    yield from views(scene_of("1", *SIZE), camera(count, x=-4), *SIZE)


def test_a_video_becomes_a_table_and_regions(run: Callable[..., Result], tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mp4", pictures())

    told = run("analyse", "film.mp4", "--threads", "1")
    shown = run("regions", "film.motion.parquet", "--timeline", "film.png")
    rows = json.loads(run("regions", "film.motion.parquet", "--json").stdout)

    assert told.exit_code == 0, told.output
    assert "39 intervals;" in told.output
    assert "film.motion.parquet" in told.output
    assert facts_of(pq.read_table(tmp_path / "film.motion.parquet")).width == 640
    assert "pan_E" in shown.output
    assert [(row["kind"], row["start_frame"], row["end_frame"]) for row in rows] == [("pan_E", 1, 40)]
    assert rows[0]["tx_mean"] == pytest.approx(-40, abs=1)
    assert (tmp_path / "film.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "state" / "cache" / "motion").rglob("*.parquet")), "nothing is left of the chunks"


def test_the_published_format_is_written_and_read(run: Callable[..., Result], tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mp4", pictures())

    assert run("analyse", "film.mp4", "--out", "film.json").exit_code == 0
    found = json.loads((tmp_path / "film.json").read_text())
    regions = run("regions", "film.json", "--published", "--out", "regions.json")

    assert found["movie"]["URL"] == str(tmp_path / "film.mp4")
    assert found["contents"]["frameStats"] == {"opticalFlow": "1.1"}
    assert found["performance"]["timing"]["elapsedSeconds"] > 0
    (sample,) = [one for one in found["frameStats"] if one["frameNumber"] == 21]
    assert sample["opticalFlow"]["similarity"][2] == pytest.approx(-40, abs=1)
    assert (sample["opticalFlow"]["fromFrame"], sample["opticalFlow"]["toFrame"]) == (16, 26)
    assert regions.exit_code == 0
    assert json.loads((tmp_path / "regions.json").read_text())["contents"] == {"regions": "1.1"}


def test_a_name_that_is_no_text_is_no_obstacle(run: Callable[..., Result], tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcnchen.mp4")
    write_clip(tmp_path / "film.mp4", pictures(4)).rename(tmp_path / name)

    told = run("analyse", name, "--out", "film.json")

    assert told.exit_code == 0, told.output
    assert json.loads((tmp_path / "film.json").read_text())["movie"]["URL"] == str(tmp_path / "M?nchen.mp4")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    facts = MotionFacts("a.mp4", 640, 360, 1, Fraction(25), Fraction(1, 25), 1)
    (tmp_path / "film.parquet").mkdir()

    with pytest.raises(IsADirectoryError):
        write_motion(INTERVALS.with_metadata(facts.metadata()).empty_table(), tmp_path / "film.parquet")

    assert [path.name for path in tmp_path.iterdir()] == ["film.parquet"]


def test_interrupted_it_says_so_and_goes_on_where_it_was(tmp_path: Path) -> None:
    small = (320, 180)
    frames = views(scene_of("3", *small), shaken(1000, 2), *small)
    write_clip(tmp_path / "film.mp4", frames, options={"g": "60", "preset": "veryfast"})
    environment = os.environ | {"CV_STATE": str(tmp_path / "state")}
    command = [str(ROOT / ".venv/bin/cv-pipelines"), "motion", "analyse", "film.mp4", "--threads", "1"]

    def chunks() -> list[Path]:
        return sorted((tmp_path / "state" / "cache" / "motion").rglob("*.parquet"))

    first = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + PATIENCE
    while not chunks() and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=PATIENCE)
    kept = {path: path.stat().st_mtime_ns for path in chunks()}

    assert first.returncode == 130, err
    assert "goes on where this one was" in err
    assert "Traceback" not in out + err
    assert 0 < len(kept) < 4
    assert not (tmp_path / "film.motion.parquet").exists()

    second = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert second.returncode == 0, second.stderr
    assert pq.read_table(tmp_path / "film.motion.parquet").num_rows == 999


def sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_what_is_no_video_ends_in_one_line(run: Callable[..., Result], tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", pictures(10)).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.mp4").write_text("once upon a time")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\nhttp://169.254.169.254/latest\n")
    sound(tmp_path / "sound.mp4")
    write_clip(tmp_path / "one.mp4", pictures(1))
    for name, said in {
        "nothing.mp4": "cannot be read",
        "half.mp4": "cut off",
        "text.mp4": "not a video",
        "empty.mp4": "empty",
        "list.m3u8": "playlist",
        "sound.mp4": "no pictures",
        "one.mp4": "two frames are needed",
        "http://127.0.0.1:9/film.mp4": "not a public address",
        ".": "regular file",
    }.items():
        told = run("analyse", name, "--out", "out.parquet")
        assert told.exit_code == 1, name
        assert said in told.stderr, (name, told.stderr)
        assert told.stderr.strip().count("\n") == 0, told.stderr
        assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["analyse", "film.mp4", "--out", "film.csv"], "names no format"),
        (["analyse", "film.mp4", "--out", "nowhere/film.json"], "no folder"),
        (["analyse", "film.mp4", "--start", "20", "--stop", "10"], "is not after"),
        (["analyse", "film.mp4", "--start", "500"], "two frames are needed"),
        (["analyse", "film.mp4", "--stride", "7", "--out", "film.json"], "stride"),
        (["regions", "film.mp4"], "names no format"),
        (["regions", "bad.parquet"], "no motion file"),
        (["regions", "bad.json"], "bad.json"),
    ],
)
def test_mistakes_end_in_one_line(run: Callable[..., Result], tmp_path: Path, words: list[str], said: str) -> None:
    write_clip(tmp_path / "film.mp4", pictures(30))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1nothing")
    (tmp_path / "bad.json").write_text('{"movie": []}')
    told = run(*words)
    assert told.exit_code == 1
    assert said in told.stderr, told.stderr
    assert told.stderr.count("\n") == 1
    assert not (tmp_path / "state" / "cache" / "motion").exists(), "nothing was analysed in vain"


def test_turned_pictures_and_odd_times_are_those_that_a_viewer_sees(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    times = [0, 40, 50, 120, 130, 200, 230, 300, 320, 400, 440, 470]
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "15"})
        stream.width, stream.height = SIZE
        stream.codec_context.time_base = Fraction(1, 1000)
        for time_, picture in zip(times, pictures(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time_, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert run("analyse", "film.mkv").exit_code == 0
    table = pq.read_table(tmp_path / "film.motion.parquet")
    assert [Fraction(time_) for time_ in table["to_time"].to_pylist()] == [Fraction(t, 1000) for t in times[1:]]
    assert np.median(table["tx"].to_numpy()) == pytest.approx(-4, abs=0.1)
