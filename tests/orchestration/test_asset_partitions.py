"""What a person means by missing, failed and stale."""

from datetime import UTC, datetime, timedelta

import pytest
from dagster import AssetKey, Definitions, asset

from cv_pipelines.errors import InputError
from cv_pipelines.orchestration.asset_partitions import failed, find_assets, find_partitions, missing, stale
from cv_pipelines.partitions import DATASETS
from tests.orchestration.conftest import ALL, World, datasets, names

PICTURES, NAMES = AssetKey("pictures"), AssetKey("names")


def test_assets_are_found_by_name_each_once(world: World) -> None:
    assert find_assets(world.graph, ["names", "pictures", "names"]) == [NAMES, PICTURES]


def test_an_unknown_asset_is_told_with_what_is_near(world: World) -> None:
    with pytest.raises(InputError, match=r"no asset 'picturs'. Did you mean pictures\?"):
        find_assets(world.graph, ["picturs"])
    with pytest.raises(InputError, match="There are: names, pictures, summary"):
        find_assets(world.graph, ["xyz"])
    with pytest.raises(InputError, match="'summary' is not made data set by data set"):
        find_assets(world.graph, ["summary"])


def test_partitions_are_named_with_commas() -> None:
    known = datasets("a", "b")
    assert find_partitions(known, "b, a,b") == ["b", "a"]
    with pytest.raises(InputError, match=r"There is no data set 'c, d'\. There are: a, b"):
        find_partitions(known, "a,c,d")
    with pytest.raises(InputError, match="No data set is named"):
        find_partitions(known, " ,")
    with pytest.raises(InputError, match="There are: none yet"):
        find_partitions([], "a")


def test_missing_is_what_was_never_made(world: World) -> None:
    known = datasets("a", "b", "c")
    assert missing(world.instance, NAMES, known) == ["a", "b", "c"]
    world.make("a")
    world.make("b", "pictures")
    assert missing(world.instance, PICTURES, known) == ["c"]
    assert missing(world.instance, NAMES, known) == ["b", "c"]
    assert not world.make("a", tags={"fail": "yes"})
    assert missing(world.instance, NAMES, known) == ["b", "c"], "it was made before it failed"


def test_what_was_made_for_a_removed_data_set_of_the_same_name_does_not_count(world: World) -> None:
    world.make("a")
    again = datasets("a", created_at=datetime.now(UTC) + timedelta(seconds=5))
    assert missing(world.instance, PICTURES, again) == ["a"]
    assert stale(world.instance, world.graph, PICTURES, again) == []


def test_failed_is_what_the_latest_run_did_not_make(world: World) -> None:
    known = datasets("a", "b", "c")
    assert failed(world.instance, NAMES, known) == []
    assert world.make("a")
    assert not world.make("a", tags={"fail": "yes"})
    assert not world.make("b", tags={"fail": "yes"})
    assert failed(world.instance, NAMES, known) == ["a", "b"]
    assert failed(world.instance, PICTURES, known) == [], "these runs did make the pictures"
    assert world.make("b", "names")
    assert failed(world.instance, NAMES, known) == ["a"], "it was made since"


def test_stale_is_what_is_older_than_its_inputs_or_its_code_and_nothing_missing(world: World) -> None:
    known = datasets("a", "b", "c")
    world.make("a")
    world.make("b")
    world.make("c", "pictures")
    assert stale(world.instance, world.graph, NAMES, known) == []
    world.make("b", "pictures")
    assert stale(world.instance, world.graph, NAMES, known) == ["b"], "its pictures are newer; c has no names"
    assert stale(world.instance, world.graph, PICTURES, known) == []

    @asset(partitions_def=DATASETS, code_version="2")
    def pictures() -> None:
        """The same, by newer code."""

    newer = Definitions(assets=[pictures, names], jobs=[ALL]).resolve_asset_graph()
    assert stale(world.instance, newer, PICTURES, known) == ["a", "b", "c"]
