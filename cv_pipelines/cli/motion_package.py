"""`cv-pipelines motion package`: the regions of the archive as a data package."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console
from cv_pipelines.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from cv_pipelines.catalog import Catalog
    from cv_pipelines.videos.archive import ArchivedVideo


@click.command()
@click.argument("videos", nargs=-1, metavar="[VIDEO…]")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder, or a .zip file.")
def package(videos: tuple[str, ...], out: Path) -> None:
    """Write the regions of all videos, or of some, as a data package (datapackage.org): CSV with a description.

    VIDEO is an address, or a key as the archive lists it. Videos that are not analysed yet are left out, unless
    they are named.

    \b
    Examples:
      cv-pipelines motion package --out regions
      cv-pipelines motion package films/reef.mp4 --out reef.zip
    """
    from cv_pipelines.motion.published.data_package import write_data_package
    from cv_pipelines.motion.results import made_of
    from cv_pipelines.videos.archive import list_archive, named_video

    catalog = open_catalog()
    named = [named_video(catalog.database, video) for video in videos]
    for one in named:
        made_of(catalog, "motion_regions", one)
    tables = _tables(catalog, named or list_archive(catalog.database))
    first = next(tables, None)
    if first is None:
        raise InputError("not_materialized", "No video of the archive is analysed yet.")
    write_data_package(chain([first], tables), out)
    console.print(str(out), markup=False, soft_wrap=True)


def _tables(catalog: "Catalog", videos: "Iterable[ArchivedVideo]") -> "Iterator[pa.Table]":
    """The regions of those that have some; by their addresses, for names of files are not unique."""
    for video in videos:
        reference = catalog.current("motion_regions", video.key)
        if reference is not None:
            table = catalog.open(reference).table("regions")
            yield table.replace_schema_metadata({**table.schema.metadata, b"cv.video": video.address.encode()})
