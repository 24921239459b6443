import os
from pathlib import Path

import pytest

from cv_pipelines.storage.scratch import make_room


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of 100 bytes, the first one used longest ago."""
    for place, name in enumerate(["old.tar", "older.partial", "new.tar"]):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 + place, 1000 + place))
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [(0, 3), (1, 2), (100, 2), (101, 1), (300, 0), (1000, 0)],
)
def test_what_was_used_longest_ago_goes_first(folder: Path, wanted: int, kept: int) -> None:
    make_room(folder, wanted, budget=300)

    names = ["old.tar", "older.partial", "new.tar"]
    assert {path.name for path in folder.iterdir()} == set(names[len(names) - kept :])


def test_a_folder_that_is_not_there_needs_no_room(tmp_path: Path) -> None:
    make_room(tmp_path / "none", 100, budget=10)
