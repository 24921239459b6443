"""`cv-pipelines motion proof`: static stretches of several videos, side by side."""

from pathlib import Path

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console
from cv_pipelines.errors import InputError


@click.command()
@click.argument("videos", nargs=-1, required=True, metavar="VIDEO…")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .jpg file.")
def proof(videos: tuple[str, ...], out: Path) -> None:
    """Set the static stretches of several videos side by side: each video is a row.

    VIDEO is an address, or a key as the archive lists it.

    \b
    Example:
      cv-pipelines motion proof films/january.mp4 films/june.mp4 --out proof.jpg
    """
    from cv_pipelines.reports.motion_pictures import proof_of
    from cv_pipelines.videos.archive import named_video

    if out.suffix.lower() not in (".jpg", ".jpeg"):
        raise InputError("bad_picture", f"'{out}' must end in .jpg.")
    catalog = open_catalog()
    out.write_bytes(proof_of(catalog, [named_video(catalog.database, video) for video in videos]))
    console.print(str(out), markup=False, soft_wrap=True)
