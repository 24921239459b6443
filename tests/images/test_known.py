from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.known import Journal, lasting, look_up
from cv_pipelines.images.manifest import FACTS
from cv_pipelines.storage.local import LocalStore

FILES = st.lists(st.tuples(st.text("a\0/é", max_size=3), st.text("a1:", max_size=2)), max_size=8)
"""Places and stamps; a table may well name a place with a NUL in it."""


class FullStore(LocalStore):
    """A store whose disk is full."""

    def put(self, key: str, data: bytes) -> None:
        raise InfrastructureError("store", "The object store cannot be written: No space left on device.")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def facts_of(*locations: str, stamp: str = "1:2", code: str = "") -> pa.Table:
    rows = [{"location": location, "stamp": stamp, "code": code, "reason": ""} for location in locations]
    return pa.Table.from_pylist(rows, FACTS)


def keys_of(pairs: list[tuple[str, str]]) -> pa.Table:
    rows = [{"location": location, "stamp": stamp} for location, stamp in pairs]
    return pa.Table.from_pylist(rows, pa.schema([FACTS.field("location"), FACTS.field("stamp")]))


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_journal_gives_back_what_was_saved_under_its_name(store: LocalStore, name: str) -> None:
    for other in ("a", "b"):
        journal = Journal(store, other)
        journal.note(facts_of(f"{other}1", f"{other}2"))
        journal.save()
        journal.note(facts_of(f"{other}3"))
        journal.save()
        journal.note(facts_of(f"{other}4"))

    found = Journal(store, name).read()

    assert found.schema.equals(FACTS)
    assert sorted(found["location"].to_pylist()) == [f"{name}1", f"{name}2", f"{name}3"]


def test_an_empty_journal_has_nothing_and_saves_nothing(store: LocalStore) -> None:
    journal = Journal(store, "a")
    journal.save()
    journal.note(facts_of("1"))
    journal.save()
    journal.save()

    assert len(list(store.objects(""))) == 1
    assert Journal(store, "b").read().equals(FACTS.empty_table())


def test_a_deleted_journal_leaves_nothing_and_those_of_others_alone(store: LocalStore) -> None:
    for name in ("a", "ab"):
        journal = Journal(store, name)
        journal.note(facts_of(name))
        journal.save()

    Journal(store, "a").delete()

    assert Journal(store, "a").read().num_rows == 0
    assert Journal(store, "ab").read()["location"].to_pylist() == ["ab"]


def test_what_could_not_be_saved_is_saved_the_next_time(tmp_path: Path) -> None:
    journal = Journal(FullStore(tmp_path), "a")
    journal.note(facts_of("1"))
    with pytest.raises(InfrastructureError, match="No space left"):
        journal.save()

    journal.store = LocalStore(tmp_path)
    journal.save()

    assert journal.read()["location"].to_pylist() == ["1"]


def test_facts_last_unless_the_file_could_not_be_read_or_nothing_tells_when_it_changes() -> None:
    facts = [
        facts_of("good"),
        facts_of("bad", code="undecodable"),
        facts_of("away", code="unreadable"),
        facts_of("unstamped", stamp=""),
    ]

    assert lasting(pa.concat_tables(facts))["location"].to_pylist() == ["good", "bad"]


@given(FILES, FILES)
def test_a_file_is_known_by_place_and_stamp_together(
    files: list[tuple[str, str]], known: list[tuple[str, str]]
) -> None:
    rows = look_up(keys_of(files), keys_of(known)).to_pylist()

    assert rows == [known.index(pair) if pair in known else None for pair in files]
