"""`cv-pipelines video`: what a video is, and single frames of it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.output import console, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    from cv_pipelines.videos.pictures import Kind
    from cv_pipelines.videos.probe import VideoFacts

_KINDS: dict[str, "Kind"] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}


@click.group()
def video() -> None:
    """Look at a video, on a disk, on S3 or on a web server."""


@video.command()
@click.argument("address", metavar="VIDEO")
@json_option
def probe(address: str, as_json: bool) -> None:
    """Show length, number of frames, exact rate, size and codec of a video.

    VIDEO is a file, s3://bucket/key or http(s)://… Its frames are counted; of an MP4 or MOV that costs little,
    of others all of it is read.

    \b
    Examples:
      cv-pipelines video probe film.mp4
      cv-pipelines video probe s3://archive/2024/film.mov --json
    """
    from cv_pipelines.videos.probe import probe_video
    from cv_pipelines.videos.video import find_video

    with shown_when_slow() as progress:
        found = probe_video(find_video(address), progress=progress)
    if as_json:
        print_json(found.summary())
    else:
        print_table(["", found.address], _rows(found))


@video.command()
@click.argument("address", metavar="VIDEO")
@click.option("--frame", "number", type=click.IntRange(1), help="Its number, from 1 on, as they are shown.")
@click.option("--time", "time", help="Of the frame that is shown then: 12.5, 1:02:03.5 or 1001/30 (seconds).")
@click.option("--width", type=click.IntRange(1), help="Of the picture; the height follows if it is not named.")
@click.option("--height", type=click.IntRange(1), help="Of the picture; the width follows if it is not named.")
@click.option("--out", help="A .png or .jpg file, or '-'; default: a .png file here, named after the video.")
def frame(
    address: str, number: int | None, time: str | None, width: int | None, height: int | None, out: str | None
) -> None:
    """Save one frame of a video as a picture, upright.

    Of a video on a server only what is needed for it is fetched. Times are those of the video itself, which
    may start later than at 0.

    \b
    Examples:
      cv-pipelines video frame film.mp4 --frame 250
      cv-pipelines video frame https://example.org/film.mp4 --time 1:30 --width 320 --out film.jpg
    """
    from cv_pipelines.videos.pictures import Wish, picture_file
    from cv_pipelines.videos.times import parse_time
    from cv_pipelines.videos.video import find_video

    found = find_video(address)
    when = None if time is None else parse_time(time)
    place = f"frame-{number}" if number else f"{float(when or 0):g}s"
    path = out or f"{Path(found.name).stem}-{place}.png"
    wish = Wish(number, when, width, height, _kind(path))
    with shown_when_slow():
        data = picture_file(found, wish)
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    Path(path).write_bytes(data)
    console.print(path, markup=False, soft_wrap=True)


def _kind(path: str) -> "Kind":
    suffix = ".png" if path == "-" else Path(path).suffix.lower()
    if suffix not in _KINDS:
        raise InputError("bad_picture", f"'{path}' names no picture that is written: end it in .png or .jpg.")
    return _KINDS[suffix]


def _rows(found: "VideoFacts") -> list[tuple[str, object]]:
    varies = {True: ", variable", False: "", None: ""}[found.is_variable]
    turned = f", turned by {found.rotation}°" if found.rotation else ""
    fields = ", interlaced" if found.is_interlaced else ""
    return [
        ("duration", f"{float(found.duration):,.3f} s"),
        ("frames", f"{found.frames:,}, {found.frames_by}"),
        ("frames a second", f"{float(found.rate):.6g} ({found.rate}){varies}"),
        ("size", f"{found.width} x {found.height}{turned}"),
        ("codec", f"{found.codec}, {found.pixel_format}, {found.bit_depth} bits{fields}"),
        ("container", found.container),
        ("starts after", f"{float(found.start):.3f} s"),
        ("made", found.created),
        ("bytes", found.bytes),
    ]
