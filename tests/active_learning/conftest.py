import pytest

from cv_pipelines.catalog import Catalog
from tests.active_learning.shapes import Shapes, make_shapes


@pytest.fixture
def shapes(catalog: Catalog) -> Shapes:
    """The data set `shapes`: ingested, and nothing else."""
    return make_shapes(catalog)
