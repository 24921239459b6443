import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from cv_pipelines.errors import InfrastructureError, InternalError
from cv_pipelines.storage.bundles import Reference, open_bundle, put_bundle, put_file, put_part, put_table
from cv_pipelines.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_a_bundle_gives_back_its_facts_and_parts(store: LocalStore) -> None:
    table = pa.table({"path": ["é.png", "b.png"], "size": [1, None]})
    parts = {"table": put_table(store, table), "text": put_part(store, b"some text", ".txt")}

    reference = put_bundle(store, "toy", "v1", {"größe": 3, "list": [1, None]}, parts)
    bundle = open_bundle(store, reference)

    assert (bundle.kind, bundle.version) == ("toy", "v1") == (reference.kind, reference.version)
    assert bundle.facts == {"größe": 3, "list": [1, None]}
    assert bundle.table("table").equals(table)
    assert bundle.table("table", ["size"]).equals(table.select(["size"]))
    assert bundle.bytes("text") == b"some text"


def test_objects_are_named_by_their_content(store: LocalStore, tmp_path: Path) -> None:
    data = b"0123456789"
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "model.keras").write_bytes(data)

    assert put_part(store, data, ".txt") == f"parts/{digest[:2]}/{digest}.txt"
    assert put_file(store, tmp_path / "model.keras") == f"parts/{digest[:2]}/{digest}.keras"
    assert store.get(f"parts/{digest[:2]}/{digest}.keras") == data


def test_the_key_of_a_bundle_follows_from_everything_in_it(store: LocalStore) -> None:
    keys = {
        put_bundle(store, kind, version, facts, parts).key
        for kind, version, facts, parts in [
            ("toy", "v1", {"a": 1, "b": 2}, {"p": "k"}),
            ("toy", "v1", {"a": 1, "b": 2}, {"p": "k"}),
            ("toy", "v2", {"a": 1, "b": 2}, {"p": "k"}),
            ("toy", "v1", {"a": 1, "b": 3}, {"p": "k"}),
            ("toy", "v1", {"a": 1, "b": 2}, {"p": "l"}),
        ]
    }

    assert len(keys) == 4
    assert all(hashlib.sha256(store.get(key)).hexdigest() in key for key in keys)


def test_a_bundle_is_json_that_a_person_can_read(store: LocalStore) -> None:
    reference = put_bundle(store, "toy", "v1", {"name": "größe"}, {})

    text = store.get(reference.key).decode()

    assert "größe" in text
    assert json.loads(text) == {"kind": "toy", "version": "v1", "facts": {"name": "größe"}, "parts": {}}


def test_a_part_that_a_bundle_does_not_have_is_named(store: LocalStore) -> None:
    bundle = open_bundle(store, put_bundle(store, "toy", "v1", {}, {}))

    with pytest.raises(InternalError, match="'labels'"):
        bundle.table("labels")


def test_a_reference_to_nothing_says_what_is_missing(store: LocalStore) -> None:
    with pytest.raises(InfrastructureError, match=r"bundles/toy/gone\.json"):
        open_bundle(store, Reference("toy", "v1", "bundles/toy/gone.json"))
