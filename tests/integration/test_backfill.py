"""`backfill` and `run` hand their work to the daemon, as the UI does: a real daemon, once for all of it."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, draw_shapes, wait_for

_LISTED = """{ partitionBackfillsOrError { ... on PartitionBackfills { results {
    id status title user isAssetBackfill assetSelection { path }
    runs(limit: 20) { status tags { key value } }
} } } }"""
_LAUNCH = """mutation {
    launchPartitionBackfill(backfillParams: {assetSelection: [{path: ["labels"]}], partitionNames: ["shapes"]}) {
        ... on LaunchBackfillSuccess { backfillId }
} }"""
_WATCHED = """{ runsOrError(filter: {tags: [
    {key: "dagster/sensor_name", value: "watch_sources"}, {key: "dagster/partition", value: "watched"}
]}) { ... on Runs { results { status tags { key value } } } } }"""
_SENSOR = '{repositoryName: "__repository__", repositoryLocationName: "cv_pipelines", sensorName: "watch_sources"}'


@dataclass
class Asked:
    """What was asked for, and how the UI lists it in the end."""

    answers: dict[str, Any]
    listed: dict[str, dict[str, Any]]


def graphql(url: str, query: str) -> Any:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def backfills(url: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in graphql(url, _LISTED)["partitionBackfillsOrError"]["results"]}


def watched_runs(url: str) -> list[dict[str, Any]]:
    """Runs that the sensor has asked for, of the data set `watched`."""
    found = graphql(url, _WATCHED)["runsOrError"]["results"]
    return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]


@pytest.fixture(scope="module")
def asked(served: tuple[Installation, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """All that is asked for, waited for together: the daemon looks every 30 s."""
    installation, url = served
    folder = tmp_path_factory.mktemp("sources")
    installation.run("dataset", "add", "more", str(draw_shapes(folder / "more", each=12)))
    missing = ("backfill", "image_manifest", "labels", "--missing")
    answers = {"dry": installation.json(*missing, "--dry-run"), "missing": installation.json(*missing)}
    answers["again"] = installation.json(*missing)

    installation.run("dataset", "add", "gone", str(draw_shapes(folder / "gone", each=1)))
    shutil.rmtree(folder / "gone")
    answers["failing"] = installation.json("backfill", "image_manifest", "--partitions", "gone")
    answers["cancelled"] = installation.json("backfill", "dataset_splits", "--partitions", "shapes")
    cancelled = answers["cancelled"]["id"]
    graphql(url, f'mutation {{ cancelPartitionBackfill(backfillId: "{cancelled}") {{ __typename }} }}')
    answers["ui"] = graphql(url, _LAUNCH)["launchPartitionBackfill"]["backfillId"]
    answers["as_ui"] = installation.json("backfill", "labels", "--partitions", "shapes")

    installation.run("dataset", "add", "watched", str(draw_shapes(folder / "watched", each=12)))
    start = f"mutation {{ startSensor(sensorSelector: {_SENSOR}) {{ ... on Sensor {{ sensorState {{ id }} }} }} }}"
    sensor = graphql(url, start)["startSensor"]["sensorState"]["id"]
    wait_for(lambda: not {"REQUESTED", "CANCELING"} & {one["status"] for one in backfills(url).values()})
    wait_for(lambda: [run["status"] for run in watched_runs(url)] == ["SUCCESS"])
    yield Asked(answers, backfills(url))
    graphql(url, f'mutation {{ stopSensor(id: "{sensor}") {{ __typename }} }}')


def test_missing_partitions_are_made_and_shown_like_those_of_the_ui(asked: Asked) -> None:
    answer = asked.answers["missing"]
    assert (answer["submitted"], answer["existing"]) == (True, False)
    assert answer["by_asset"] == {"image_manifest": ["more"], "labels": ["more"]}
    shown = asked.listed[answer["id"]]
    assert shown["status"] == "COMPLETED_SUCCESS"
    assert shown["isAssetBackfill"]
    assert {"/".join(asset["path"]) for asset in shown["assetSelection"]} == {"image_manifest", "labels"}
    assert shown["title"] == "missing: image_manifest, labels"
    assert shown["user"]
    (run,) = shown["runs"]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert (run["status"], tags["dagster/partition"]) == ("SUCCESS", "more")


def test_a_dry_run_submits_nothing_and_estimates_from_earlier_steps(asked: Asked) -> None:
    answer = asked.answers["dry"]
    assert (answer["id"], answer["submitted"], answer["existing"]) == (None, False, False)
    assert answer["assets"] == ["image_manifest", "labels"]
    assert answer["partitions"] == ["more"]
    assert 0 < answer["estimate_seconds"] < 60


def test_asking_again_while_it_goes_on_returns_the_same_one(asked: Asked) -> None:
    answer = asked.answers["again"]
    assert answer["id"] == asked.answers["missing"]["id"]
    assert (answer["submitted"], answer["existing"]) == (False, True)


def test_one_that_the_ui_has_launched_is_found_as_well(asked: Asked) -> None:
    launched = asked.answers["ui"]
    assert asked.answers["as_ui"]["id"] == launched
    assert asked.answers["as_ui"]["existing"]
    assert asked.listed[launched]["status"] == "COMPLETED_SUCCESS"


def test_it_can_be_cancelled_in_the_ui(asked: Asked) -> None:
    assert asked.listed[asked.answers["cancelled"]["id"]]["status"] == "CANCELED"


def test_afterwards_nothing_is_missing_and_what_failed_can_be_asked_for(
    asked: Asked, served: tuple[Installation, str]
) -> None:
    installation, _ = served
    assert asked.listed[asked.answers["failing"]["id"]]["status"] == "COMPLETED_FAILED"
    failed = installation.json("backfill", "image_manifest", "--failed", "--dry-run")
    assert failed["by_asset"] == {"image_manifest": ["gone"]}
    missing = installation.json("backfill", "image_manifest", "--missing", "--dry-run")
    assert missing["by_asset"] == {"image_manifest": ["gone"]}
    told = installation.run("backfill", "labels", "image_manifest", "--stale").stdout
    assert told == "Nothing to do: no partition of labels, image_manifest is stale.\n"


def test_a_watched_source_is_synced(asked: Asked, served: tuple[Installation, str]) -> None:
    installation, url = served
    (run,) = watched_runs(url)
    assert run["tags"]["cv/reason"] == "its source has changed"
    assert installation.json("dataset", "show", "watched")["images"] == 36


def test_a_run_is_queued_where_a_daemon_is_alive(served: tuple[Installation, str]) -> None:
    installation, _ = served
    result = installation.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
    assert result["executed"] == "daemon"
    assert result["succeeded"]
    run = next(run for run in installation.runs() if run["id"] == result["run_id"])
    assert run["tags"]["dagster/partition"] == "shapes"
    assert "cv/process" not in run["tags"]


def test_without_a_daemon_it_is_recorded_and_says_how_to_start_one(
    installation: Installation, shapes: Path
) -> None:
    installation.run("dataset", "add", "shapes", str(shapes))
    told = installation.run("backfill", "image_manifest", "--missing").stdout
    assert "start 'make dev'" in told
    told = installation.run("backfill", "image_manifest", "--missing").stdout
    assert "already at work on this" in told


def test_mistakes_end_in_one_line(installation: Installation, shapes: Path) -> None:
    installation.run("dataset", "add", "shapes", str(shapes))
    told = installation.run("backfill", "image_manifests", "--missing", status=1).stderr
    assert told == "Error: There is no asset 'image_manifests'. Did you mean image_manifest?\n"
    told = installation.run("backfill", "labels", "--partitions", "shapes,forms", status=1).stderr
    assert told == "Error: There is no data set 'forms'. There are: shapes.\n"
    for options in [(), ("--missing", "--stale"), ("--partitions", "shapes", "--failed")]:
        assert "exactly one of" in installation.run("backfill", "labels", *options, status=2).stderr
