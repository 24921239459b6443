import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cv_pipelines.database.backup import copy_database
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.tables import artefacts
from cv_pipelines.errors import InfrastructureError


def test_a_database_is_copied_whole_while_somebody_writes_to_it(tmp_path: Path) -> None:
    source, target = tmp_path / "cv ü%.sqlite", tmp_path / "backup" / "cv.sqlite"
    engine = open_database(f"sqlite:///{source}")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            rows = [{"kind": kind, "inputs": str(number), "version": "v", "key": "k"} for kind in ("a", "b")]
            with engine.begin() as connection:
                connection.execute(artefacts.insert(), rows)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            copy_database(source, target)
    finally:
        stop.set()
        writer.join()

    with open_database(f"sqlite:///{target}").connect() as connection:
        count = select(artefacts.c.kind, func.count()).group_by(artefacts.c.kind)
        counts: dict[str, int] = dict(connection.execute(count).all())
    assert counts["a"] == counts["b"] > 0
    assert [path.name for path in target.parent.iterdir() if "partial" in path.name] == []


def test_a_copy_that_cannot_be_made_leaves_the_older_one(tmp_path: Path) -> None:
    (tmp_path / "copy.sqlite").write_bytes(b"older")
    (tmp_path / "text.sqlite").write_text("This is a text and no database. " * 100)

    for source in ("text.sqlite", "nothing.sqlite"):
        with pytest.raises(InfrastructureError, match=f"{source}' cannot be copied to"):
            copy_database(tmp_path / source, tmp_path / "copy.sqlite")

    assert (tmp_path / "copy.sqlite").read_bytes() == b"older"
    assert not (tmp_path / "nothing.sqlite").exists()


def test_the_copy_needs_no_other_file(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'cv.sqlite'}")
    copy_database(tmp_path / "cv.sqlite", tmp_path / "only" / "cv.sqlite")

    assert [path.name for path in (tmp_path / "only").iterdir()] == ["cv.sqlite"]
    tables = sqlite3.connect(tmp_path / "only" / "cv.sqlite").execute("SELECT name FROM sqlite_master").fetchall()
    assert ("artefacts",) in tables
