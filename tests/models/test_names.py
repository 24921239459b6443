"""Names that people give to models."""

import pytest
from sqlalchemy import Engine

from cv_pipelines.errors import InputError
from cv_pipelines.models.names import name_model, named_version, names_of, require_model_name
from cv_pipelines.models.registry import find_model, list_models
from cv_pipelines.storage.bundles import Reference
from tests.servers import on_both_databases


def model(version: str) -> Reference:
    return Reference("trained_model", version, f"bundles/{version}.json")


@on_both_databases
def test_a_named_model_is_in_the_registry_and_found_by_its_names(database: Engine) -> None:
    name_model(database, "birds", model("abc1"), "first", "ann")
    name_model(database, "birds", model("abc1"), "first", "bob")
    name_model(database, "birds", model("abc1"), "best.of-all", "bob")

    assert [one.version for one in list_models(database, "birds")] == ["abc1"]
    assert names_of(database, "birds") == {"abc1": ["first", "best.of-all"]}
    assert find_model(database, "birds/first") == find_model(database, "best.of-all")
    assert names_of(database, "cats") == {}


@on_both_databases
def test_a_name_stays_with_who_had_it_first_and_is_free_in_other_data_sets(database: Engine) -> None:
    name_model(database, "birds", model("abc1"), "good", "ann")
    with pytest.raises(InputError, match="stands for model abc1 of 'birds'") as caught:
        name_model(database, "birds", model("def2"), "good", "bob")
    name_model(database, "cats", model("def2"), "good", "bob")

    assert caught.value.code == "name_taken"
    assert [named_version(database, one, "good") for one in ("birds", "cats", "dogs")] == ["abc1", "def2", None]
    assert find_model(database, "cats/good").version == "def2"
    with pytest.raises(InputError, match=r"Which one: \w+/\w+ or \w+/\w+\?"):
        find_model(database, "good")


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a b", "x" * 65, "größe", "<b>", "abc123", "0", "z\n"])
def test_what_can_be_no_name_or_could_be_a_version_is_refused(database: Engine, name: str) -> None:
    with pytest.raises(InputError) as caught:
        name_model(database, "birds", model("abc1"), name, "ann")

    assert caught.value.code == "model_name"
    assert list_models(database) == []


@pytest.mark.parametrize("name", ["g", "2026-11-29", "ResNet50", "a.b_c-d", "x" * 64])
def test_what_can_be_a_name_is_taken(name: str) -> None:
    require_model_name(name)
