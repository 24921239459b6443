"""A data set, and files of detections about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cv_pipelines.catalog import Catalog
from tests.detections.street import label_street, make_street

Write = Callable[[str, Any], Path]


@pytest.fixture
def street(catalog: Catalog) -> Catalog:
    """The data set `street` with the classes car and traffic_light."""
    make_street(catalog)
    label_street(catalog)
    return catalog


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, content)`: a file of text or bytes, of JSON for anything else."""

    def run(name: str, content: Any) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return run
