"""`cv-pipelines video`: what a person sees."""

import io
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cv_pipelines.cli.main import main
from cv_pipelines.settings import load_settings
from tests.clips import number_in

MakeVideo = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """`run(*words)`: a command, in a folder and with a state of its own."""
    monkeypatch.setenv("CV_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(main, ["video", *words])
    load_settings.cache_clear()


def test_probe(run: Callable[..., Result], make_video: MakeVideo, tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", frames=60, rate=Fraction(30000, 1001), rotation=90)

    told = run("probe", "a.mp4")
    found = json.loads(run("probe", "a.mp4", "--json").stdout)

    assert told.exit_code == 0
    assert "29.97 (30000/1001)" in told.output
    assert "48 x 64, turned by 90°" in told.output
    assert (found["rate"], found["duration"], found["frames"]) == ("30000/1001", "1001/500", 60)
    assert found["created"] is None


def test_a_frame_by_number(run: Callable[..., Result], make_video: MakeVideo, tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", frames=30, crf=5)

    assert run("frame", "a.mp4", "--frame", "13").output.strip() == "a-frame-13.png"

    with Image.open(tmp_path / "a-frame-13.png") as image:
        assert number_in(np.asarray(image)) == 12


def test_a_frame_by_time(run: Callable[..., Result], make_video: MakeVideo, tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", frames=30, crf=5)

    assert run("frame", "a.mp4", "--time", "0:00.5", "--width", "32", "--out", "b.jpg").exit_code == 0
    piped = run("frame", "a.mp4", "--time", "1/2", "--out", "-")

    with Image.open(tmp_path / "b.jpg") as image:
        assert (image.format, image.size, number_in(np.asarray(image))) == ("JPEG", (32, 24), 15)
    with Image.open(io.BytesIO(piped.stdout_bytes)) as image:
        assert (image.format, number_in(np.asarray(image))) == ("PNG", 15)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frame", "a.mp4"], "Name either the number of a frame or a time"),
        (["frame", "a.mp4", "--frame", "31"], "has no frame 31: it has 30"),
        (["frame", "a.mp4", "--time", "soon"], "is no time in a video"),
        (["frame", "a.mp4", "--frame", "1", "--out", "a.gif"], "end it in .png or .jpg"),
        (["frame", "a.mp4", "--frame", "1", "--out", "none/a.png"], "No such file or directory"),
        (["probe", "none.mp4"], "No such file or directory"),
        (["probe", "ftp://example.org/a.mp4"], "is not read; use s3://, http:// or https://"),
    ],
)
def test_mistakes_are_told_in_a_line(
    run: Callable[..., Result], make_video: MakeVideo, tmp_path: Path, words: list[str], message: str
) -> None:
    make_video(tmp_path / "a.mp4")

    told = run(*words)

    assert told.exit_code == 1
    assert message in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
