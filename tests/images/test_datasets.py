from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.datasets import add_dataset, find_dataset, list_datasets


def test_a_data_set_is_found_as_it_was_added(catalog: Catalog) -> None:
    added = add_dataset(catalog.database, "digits", "/data/größe", ("zero", "eins"))

    found = find_dataset(catalog.database, "digits")

    assert added == found
    assert (found.name, found.source, found.classes) == ("digits", "/data/größe", ("zero", "eins"))
    assert found.created_at.utcoffset() == timedelta(0)
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_relative_source_is_kept_as_an_absolute_one(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")

    assert add_dataset(catalog.database, "here", "images").source == str(tmp_path / "images")
    assert add_dataset(catalog.database, "home", "~/images").source == "/home/somebody/images"


def test_adding_the_same_again_changes_nothing(catalog: Catalog) -> None:
    first = add_dataset(catalog.database, "digits", "/data/digits", ("a", "b"))

    assert add_dataset(catalog.database, "digits", "/data/digits", ("a", "b")) == first
    assert list_datasets(catalog.database) == [first]


@pytest.mark.parametrize(("source", "classes"), [("/data/other", ("a",)), ("/data/digits", ("a", "b"))])
def test_a_name_stands_for_one_thing(catalog: Catalog, source: str, classes: tuple[str, ...]) -> None:
    first = add_dataset(catalog.database, "digits", "/data/digits", ("a",))

    with pytest.raises(InputError, match="already stands for '/data/digits'") as caught:
        add_dataset(catalog.database, "digits", source, classes)

    assert caught.value.code == "dataset_exists"
    assert find_dataset(catalog.database, "digits") == first


@pytest.mark.parametrize("name", ["a", "0", "a.b_c-d", "9" * 64, "clothing-2024.01"])
def test_names_of_the_rule_are_taken(catalog: Catalog, name: str) -> None:
    assert add_dataset(catalog.database, name, "/data").name == name


@pytest.mark.parametrize(
    "name", ["", "A", "größe", ".a", "-a", "_a", "a b", "a/b", "a\n", "a" * 65, "a:b", "..", "٣"]
)
def test_other_names_are_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name") as caught:
        add_dataset(catalog.database, name, "/data")

    assert caught.value.code == "dataset_name"
    assert list_datasets(catalog.database) == []


def test_the_list_is_in_the_order_of_the_names(catalog: Catalog) -> None:
    for name in ("b", "a-2", "c", "a"):
        add_dataset(catalog.database, name, "/data")

    assert [one.name for one in list_datasets(catalog.database)] == ["a", "a-2", "b", "c"]


def test_an_unknown_name_is_refused_with_those_that_there_are(catalog: Catalog) -> None:
    with pytest.raises(InputError, match="none yet"):
        find_dataset(catalog.database, "digits")
    add_dataset(catalog.database, "clothing", "/data")

    with pytest.raises(InputError, match=r"There is no data set 'digits' \(there are: clothing\)") as caught:
        find_dataset(catalog.database, "digits")

    assert caught.value.code == "no_dataset"


def test_a_folder_whose_name_is_no_unicode_is_taken_or_refused_in_words(catalog: Catalog) -> None:
    source = "/data/caf\udce9"

    with suppress(InputError):
        assert add_dataset(catalog.database, "digits", source).source == source
