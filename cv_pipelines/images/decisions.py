"""What people have decided about files and images; every ingest goes by it."""

from sqlalchemy import Engine, select

from cv_pipelines.database.engine import reading
from cv_pipelines.database.partition_owners import of_present_partition
from cv_pipelines.database.tables import acceptances, forgotten_images
from cv_pipelines.images.ingest import Wishes


def wishes_of(database: Engine, dataset: str, retry: bool = False) -> Wishes:
    """The decisions that hold for a data set.

    Args:
        database: where they are.
        dataset: its name.
        retry: the files in quarantine are to be read again.
    """
    accepted = select(acceptances.c.path).where(acceptances.c.dataset == dataset)
    with reading(database) as connection:
        paths = connection.execute(accepted.where(of_present_partition(acceptances))).scalars()
        accepted_paths = frozenset(paths)
        forgotten = frozenset(connection.execute(select(forgotten_images.c.image_id)).scalars())
    return Wishes(accepted_paths, forgotten, retry)


def accept(database: Engine, dataset: str, path: str, who: str) -> None:
    """Want a file in spite of what speaks against it, from the next ingest on."""
    with database.begin() as connection:
        connection.execute(acceptances.insert().values(dataset=dataset, path=path, who=who))
