"""Files of which only what is read is fetched."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.remote import range_file as module
from cv_pipelines.remote.range_file import RangeFile

CONTENT = random.Random(0).randbytes(3_000_000)


def opened(content: bytes = CONTENT) -> tuple[RangeFile, list[tuple[int, int]]]:
    """A file, and what it has fetched so far."""
    fetched: list[tuple[int, int]] = []

    def fetch(offset: int, length: int) -> bytes:
        fetched.append((offset, length))
        return content[offset : offset + length]

    return RangeFile(fetch, len(content)), fetched


def read_all(file: RangeFile, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (part := file.read(size - len(data))):
        data += part
    return bytes(data)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300)), max_size=20))
def test_what_is_read_is_what_is_there(reads: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FIRST", 8)
        patch.setattr(module, "_MOST", 32)
        file, fetched = opened(CONTENT[:333])
        for offset, size in reads:
            file.seek(offset)
            assert read_all(file, size) == CONTENT[:333][offset : offset + size]
        assert all(0 < length <= 32 and offset + length <= 333 for offset, length in fetched)


def test_parts_grow_while_they_are_read_in_a_row_and_start_small_after_a_jump() -> None:
    file, fetched = opened()

    assert read_all(file, 1_000_000) == CONTENT[:1_000_000]
    file.seek(-5, io.SEEK_END)
    file.seek(-100_000, io.SEEK_CUR)
    assert file.read(10) == CONTENT[-100_005:-99_995]

    assert [length for _, length in fetched] == [65_536, 131_072, 262_144, 524_288, 1_048_576, 65_536]


def test_two_places_read_in_turns_are_both_kept() -> None:
    file, fetched = opened()

    for place in range(0, 60_000, 1000):
        for start in (0, 2_000_000):
            file.seek(start + place)
            assert file.read(100) == CONTENT[start + place :][:100]

    assert len(fetched) == 2


def test_a_hollow_file_fetches_nothing_more() -> None:
    file, fetched = opened()
    assert file.read(100) == CONTENT[:100]
    file.hollow = True

    assert file.read(100) == CONTENT[100:200]
    file.seek(2_000_000)
    assert read_all(file, 5000) == bytes(5000)
    file.seek(-10, io.SEEK_END)
    assert read_all(file, 100) == bytes(10)

    assert len(fetched) == 1
    assert file.has_read(CONTENT[65_000:65_010])
    assert not file.has_read(CONTENT[2_000_000:2_000_010])


def test_there_is_nothing_before_the_start() -> None:
    file, _ = opened()

    with pytest.raises(ValueError, match="nothing before the start"):
        file.seek(-1)
