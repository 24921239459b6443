"""`cv-pipelines motion inject`, `videos`, `backfill` and `remove`: what a person sees of an archive."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dagster._core.execution.backfill import BulkActionStatus

from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.main import main
from cv_pipelines.database.engine import open_database
from cv_pipelines.orchestration.instance import open_instance
from cv_pipelines.settings import ROOT, load_settings
from cv_pipelines.videos.archive import count_archive, find_video_of_archive, quarantine, video_key
from tests.motion.archives import analyse

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run(*words)`: a command, in a folder and with a state of its own."""
    monkeypatch.setenv("CV_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(main, ["motion", *words])
    load_settings.cache_clear()
    open_database.cache_clear()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films" / "2018").mkdir(parents=True)
    for name in ("a.mp4", "b.mp4", "2018/c.mov"):
        (tmp_path / "films" / name).write_text("a film")
    return tmp_path / "films"


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def key(path: Path) -> str:
    return video_key(str(path))


def catalog() -> Catalog:
    return open_catalog()


def backfills(status: BulkActionStatus | None = None) -> list[str]:
    """Ids of the backfills that there are; with a status they have it from now on."""
    with open_instance() as instance:
        found = instance.get_backfills()
        for one in found if status else ():
            instance.update_backfill(one.with_status(status))
        return [one.backfill_id for one in found]


def test_an_archive_is_taken_in_by_one_backfill(run: Run, films: Path) -> None:
    shown = run("inject", "films")

    assert shown.exit_code == 0, shown.output
    assert "no daemon is running" in shown.stdout
    with open_instance() as instance:
        (backfill,) = instance.get_backfills()
        partitions = set(instance.get_dynamic_partitions("video"))
        assert instance.get_dynamic_partitions("dataset") == []
    data = backfill.asset_backfill_data
    assert data is not None
    wanted = {asset.to_user_string() for asset in data.target_subset.asset_keys}
    assert wanted == {"video_catalog", "camera_motion", "motion_regions", "static_thumbnails"}
    assert {one.partition_key for one in data.target_subset.iterate_asset_partitions()} == partitions
    assert partitions == {key(films / name) for name in ("a.mp4", "b.mp4", "2018/c.mov")}
    assert (backfill.title, dict(backfill.run_config or {})) == ("camera motion: 3 videos", {})
    assert backfill.description == f"cv-pipelines motion inject {films}"


def test_asked_again_nothing_is_done_twice(run: Run, films: Path) -> None:
    first, again = told(run("inject", "films", "--json")), told(run("inject", "films", "--json"))
    (films / "d.mp4").write_text("a film")
    later = told(run("inject", "films", "--json"))

    assert (first["submitted"], len(first["due"]), first["new"]) == (True, 3, 3)
    assert (again["submitted"], again["due"], again["under_way"]) == (False, [], 3)
    assert (later["due"], later["under_way"]) == ([key(films / "d.mp4")], 3)
    assert len(backfills()) == 2


def test_what_has_a_result_is_skipped_unless_a_person_insists(run: Run, films: Path) -> None:
    run("inject", "films")
    backfills(BulkActionStatus.COMPLETED_SUCCESS)
    analyse(catalog(), str(films / "a.mp4"))

    found, forced = told(run("inject", "films", "--json")), told(run("inject", "films", "--force", "--json"))

    assert (found["current"], len(found["due"])) == (1, 2)
    assert len(forced["due"]) == 3
    with open_instance() as instance:
        backfill = instance.get_backfill(forced["id"])
    assert backfill is not None
    assert backfill.run_config is not None
    assert backfill.run_config["ops"]["camera_motion"] == {"config": {"force": True}}
    assert set(backfill.run_config["ops"]) == {
        "video_catalog",
        "camera_motion",
        "motion_regions",
        "static_thumbnails",
    }


def test_a_dry_run_changes_nothing(run: Run, films: Path) -> None:
    shown = run("inject", "films", "--dry-run")

    assert shown.exit_code == 0, shown.output
    assert key(films / "a.mp4") in shown.stdout
    assert "would be analysed" in shown.stdout
    assert count_archive(catalog().database) == 0
    assert backfills() == []


def test_only_some_are_taken_in(run: Run, films: Path) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    os.utime(films / "a.mp4", (long_ago, long_ago))

    assert told(run("inject", "films", "--since", "30d", "--dry-run", "--json"))["videos"] == 2
    assert len(told(run("inject", "films", "--count", "1", "--json"))["due"]) == 1
    assert count_archive(catalog().database) == 1


def test_a_list_and_a_single_video_are_taken_in(run: Run, films: Path) -> None:
    Path("list.csv").write_text(
        "address,what\nfilms/a.mp4,mine\nhttps://films.invalid/x.mp4,theirs\nftp://x/y.mp4\n"
    )

    found = told(run("inject", "list.csv", "--json"))
    shown = run("inject", "list.csv")

    assert found["due"] == [key(films / "a.mp4"), video_key("https://films.invalid/x.mp4")]
    assert [one["address"] for one in found["refused"]] == ["ftp://x/y.mp4"]
    assert "1 cannot be taken in" in shown.stdout
    assert told(run("inject", "films/b.mp4", "--json"))["due"] == [key(films / "b.mp4")]


@pytest.mark.parametrize("source", ["nowhere", "ftp://host/films", "s3://"])
def test_a_source_that_is_none_ends_in_one_line(run: Run, source: str) -> None:
    result = run("inject", source)

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")


def test_an_empty_folder_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "There are no videos." in run("inject", "empty").stdout
    assert "motion inject" in run("videos").stdout


def test_the_archive_is_listed_with_what_is_wrong(run: Run, films: Path) -> None:
    run("inject", "films")
    for name, invalid in (("a.mp4", 0.0), ("b.mp4", 0.9)):
        analyse(catalog(), str(films / name), frames=25_000, static=0.25, invalid=invalid)
    bad = find_video_of_archive(catalog().database, str(films / "2018" / "c.mov"))
    quarantine(catalog().database, bad.key, "It is cut off.", bad.stamp)

    rows = {Path(row["address"]).name: row for row in told(run("videos", "--json"))}
    shown = run("videos").stdout

    assert {name: row["state"] for name, row in rows.items()} == {
        "a.mp4": "current",
        "b.mp4": "failed",
        "c.mov": "quarantined",
    }
    assert (rows["a.mp4"]["frames"], rows["a.mp4"]["static_share"], rows["a.mp4"]["problem"]) == (25_000, 0.25, "")
    assert rows["b.mp4"]["problem"] == "The motion of 90% of its intervals is unknown."
    assert "25%" in shown
    assert "It is cut off." in shown
    assert [row["key"] for row in told(run("videos", "--quarantined", "--json"))] == [bad.key]


def test_a_backfill_takes_what_is_missing_or_stale(run: Run, films: Path) -> None:
    run("inject", "films")
    assert "apart from 3 that are being analysed" in run("backfill", "--missing").stdout
    backfills(BulkActionStatus.COMPLETED_SUCCESS)
    analyse(catalog(), str(films / "a.mp4"))
    analyse(catalog(), str(films / "b.mp4"))
    (films / "b.mp4").write_text("another film")
    run("inject", "films", "--count", "3")
    backfills(BulkActionStatus.COMPLETED_SUCCESS)

    assert told(run("backfill", "--missing", "--dry-run", "--json"))["due"] == [key(films / "2018" / "c.mov")]
    stale = told(run("backfill", "--stale", "--json"))
    assert (stale["due"], stale["submitted"]) == ([key(films / "b.mp4")], True)
    assert "no video is stale" in run("backfill", "--stale").stdout
    assert run("backfill").exit_code == 2


def test_a_video_is_forgotten_with_its_partition(run: Run, films: Path) -> None:
    run("inject", "films")
    busy = run("remove", "films/a.mp4", "--yes")
    assert (busy.exit_code, "is at work on" in busy.stderr) == (1, True)
    backfills(BulkActionStatus.CANCELED)

    removed = told(run("remove", "films/a.mp4", "--yes", "--json"))
    assert run("remove", key(films / "b.mp4"), "--yes").exit_code == 0

    assert removed == {"video": key(films / "a.mp4"), "address": str(films / "a.mp4"), "runs": 0}
    assert (films / "a.mp4").exists()
    assert [row["key"] for row in told(run("videos", "--json"))] == [key(films / "2018" / "c.mov")]
    with open_instance() as instance:
        assert instance.get_dynamic_partitions("video") == [key(films / "2018" / "c.mov")]
    assert "has no video" in run("remove", "films/a.mp4", "--yes").stderr
