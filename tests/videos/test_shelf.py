"""Small files that are kept within a budget."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cv_pipelines.videos.shelf import Shelf


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_put_is_found_by_all_of_its_identity(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10_000)
    shelf.put(b"first", "a", 1)
    shelf.put(b"second", "a", 2)
    shelf.put(b"third", "a\udcff", 2)  # a name that is no unicode

    assert shelf.get("a", 1) == b"first"
    assert Shelf(tmp_path, 1).get("a", 2) == b"second"
    assert shelf.get("a\udcff", 2) == b"third"
    assert shelf.get("a") is None
    shelf.put(b"other", "a", 1)
    assert shelf.get("a", 1) == b"other"


def test_what_was_unused_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "_path", lambda self, identity: self.folder / "0" / str(identity[0]))
    shelf = Shelf(tmp_path, 350, digits=0)
    for age, name in enumerate("dcba"):
        shelf.put(bytes(100), name)
        os.utime(tmp_path / "0" / name, (1000 + age, 1000 + age))
    assert sorted(path.name for path in files(tmp_path)) == ["a", "b", "c"]

    assert shelf.get("c")  # it has been used now
    shelf.put(bytes(100), "e")

    assert sorted(path.name for path in files(tmp_path)) == ["a", "c", "e"]


@pytest.mark.parametrize(("digits", "budget"), [(1, 16 * 1000), (2, 256 * 150)])
def test_the_budget_holds_for_all_folders_together(tmp_path: Path, digits: int, budget: int) -> None:
    shelf = Shelf(tmp_path, budget, digits)
    for number in range(500):
        shelf.put(bytes(100), number)

    assert sum(path.stat().st_size for path in files(tmp_path)) <= budget
    assert len({path.parent for path in files(tmp_path)}) > 16 ** (digits - 1)


def test_many_may_write_the_same(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10**8)

    def work(number: int) -> bytes | None:
        shelf.put(bytes([number % 4]) * 100_000, number % 4)
        return shelf.get(number % 4)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(200)))

    assert all(data == bytes([number % 4]) * 100_000 for number, data in enumerate(found))
    assert len(files(tmp_path)) == 4
