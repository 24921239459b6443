"""The commands as a person uses them, in processes of their own."""

import json
import shutil
from pathlib import Path

import pytest

from cv_pipelines.database.engine import SCHEMA
from tests.installation import Installation

KEYS = {
    "dataset",
    "images",
    "quarantined",
    "duplicates",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "images_per_second",
    "model_version",
    "dataset_version",
    "checks",
}


def test_the_report_has_the_agreed_keys_and_sensible_figures(finished: Installation) -> None:
    report = finished.json("report", "shapes")
    assert set(report) == KEYS
    assert (report["dataset"], report["images"], report["quarantined"], report["duplicates"]) == (
        "shapes",
        90,
        0,
        0,
    )
    assert set(report["images_per_second"]) == {"ingest", "training", "prediction"}
    assert all(speed > 0 for speed in report["images_per_second"].values())
    assert report["accuracy_low"] <= report["accuracy"] <= report["accuracy_high"]
    assert {check["name"] for check in report["checks"]} >= {"unique_ids", "class_balance", "no_drift"}


def test_the_report_for_people_names_the_file_with_the_pictures(finished: Installation) -> None:
    told = finished.run("report", "shapes").stdout
    path = finished.state / "reports" / "shapes.html"
    assert str(path) in told
    assert path.read_text().count('<img src="data:image/') >= 6


def test_a_second_run_does_nothing_again(finished: Installation) -> None:
    result = finished.json("run", "shapes", "--set", "epochs=6", "--set", "batch_size=16")
    states = {step["step"]: step["message"] for step in result["steps"]}
    assert result["succeeded"]
    assert result["executed"] == "here"
    for asset in (
        "image_manifest",
        "labels",
        "trained_model",
        "model_evaluation",
        "champion_model",
        "predictions",
    ):
        assert states[asset] == "unchanged, nothing to do"
    assert len(finished.json("model", "list")) == 1


def test_models_are_listed_shown_promoted_and_rolled_back(
    installation: Installation, finished: Installation
) -> None:
    shutil.copytree(finished.state, installation.state, dirs_exist_ok=True)
    (first,) = installation.json("model", "list", "--dataset", "shapes")
    assert (first["alias"], first["dataset"], first["architecture"]) == ("champion", "shapes", "hog")
    installation.run("run", "shapes", "--set", "epochs=1", "--set", "seed=3", "--set", "batch_size=16")
    second = next(m for m in installation.json("model", "list") if m["version"] != first["version"])

    compared = installation.json("model", "compare", first["version"], second["version"])
    assert compared["comparison"]["decision"] in ("promote", "keep")
    installation.run("model", "promote", second["version"], "--why", "a trial")
    shown = installation.json("model", "show", second["version"][:6])
    assert shown["alias"] == "champion"
    assert shown["card"]["parameters"]["seed"] == 3
    assert shown["promotions"][0]["action"] == "promote"
    installation.run("model", "rollback", "shapes", "--why", "enough")
    assert installation.json("model", "show", first["version"])["alias"] == "champion"


def test_a_blocking_check_that_fails_stops_the_loop_and_says_what_to_do(
    installation: Installation, shapes: Path, tmp_path: Path
) -> None:
    source = tmp_path / "one"
    shutil.copytree(shapes / "disc", source / "disc")
    installation.run("dataset", "add", "one", str(source))
    told = installation.run("run", "one", status=1).stdout
    assert "✗ labels_checks" in told
    assert "two_classes: Expected: There are at least two classes" in told
    report = installation.json("report", "one")
    failed = {check["name"] for check in report["checks"] if not check["passed"]}
    assert "two_classes" in failed
    assert report["model_version"] is None
    assert "one subfolder per class" in installation.run("report", "one").stdout


def test_mistakes_end_in_one_line_and_a_status(installation: Installation, shapes: Path, tmp_path: Path) -> None:
    for arguments, words in [
        (("dataset", "show", "nope"), "There is no data set 'nope'"),
        (("run", "nope"), "There is no data set 'nope'"),
        (("report", "nope"), "There is no data set 'nope'"),
        (("dataset", "add", "Bad Name", str(shapes)), "cannot be a name"),
        (("dataset", "add", "a", str(tmp_path / "nowhere")), "neither a folder nor a .csv file"),
        (("model", "show", "abc"), "No model has a version"),
        (("model", "rollback", "shapes", "--why", "x"), "no earlier champion"),
    ]:
        done = installation.run(*arguments, status=1)
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    for arguments in [
        ("run",),
        ("run", "a", "--set", "epochs=many"),
        ("run", "a", "--set", "colour=red"),
        ("fly",),
    ]:
        installation.run(*arguments, status=2)


def test_settings_that_make_no_sense_are_named(tmp_path: Path) -> None:
    broken = Installation(tmp_path, {"CV_WORKERS": "none"})
    assert "CV_WORKERS" in broken.run("dataset", "list", status=1).stderr
    broken = Installation(tmp_path, {"CV_DATABASE_URL": "carrier://pigeon"})
    assert "CV_DATABASE_URL" in broken.run("dataset", "list", status=1).stderr


def test_a_data_set_is_added_listed_shown_and_forgotten(installation: Installation, shapes: Path) -> None:
    added = installation.json("dataset", "add", "shapes", str(shapes))
    assert added["classes"] == {"bar": 30, "disc": 30, "frame": 30}
    installation.run("dataset", "add", "shapes", str(shapes))
    done = installation.run("dataset", "add", "shapes", str(shapes / "disc"), status=1)
    assert "already stands for" in done.stderr
    assert [row["name"] for row in installation.json("dataset", "list")] == ["shapes"]
    assert installation.json("dataset", "show", "shapes")["source"] == str(shapes)
    installation.run("dataset", "remove", "shapes", "--yes")
    assert installation.json("dataset", "list") == []
    assert (shapes / "disc" / "000.png").is_file()


@pytest.mark.parametrize(
    "command", [(), ("dataset", "add"), ("run",), ("report",), ("model", "promote"), ("db", "upgrade")]
)
def test_help_shows_an_example(installation: Installation, command: tuple[str, ...]) -> None:
    told = installation.run(*command, "--help").stdout
    assert f"cv-pipelines {' '.join(command)}".strip() in told.split("Example")[1]


def test_the_database_upgrades_once(installation: Installation) -> None:
    assert SCHEMA in installation.run("db", "upgrade").stdout
    assert "as before" in installation.run("db", "upgrade").stdout


def test_a_notebook_reads_images_labels_and_predictions(finished: Installation) -> None:
    code = """
import json
from cv_pipelines.notebook import open_dataset
data = open_dataset("shapes")
table = data.to_pandas()
known = table[table.label.notna()]
image = data.image(table.image_id.iloc[0])
(batch,) = data.batches(table.image_id.head(5).tolist(), data.image_size)
print(json.dumps({
    "rows": len(table), "agree": float((known.label == known.predicted).mean()), "image": image.shape,
    "batch": batch.shape, "output": data.model.predict(batch, verbose=0).shape, "classes": data.classes,
    "columns": list(table.columns)[-6:],
}))
"""
    found = json.loads(finished.python(code).splitlines()[-1])
    assert found["rows"] == 90
    assert found["agree"] > 0.6
    assert found["image"] == [24, 24, 3]
    assert found["batch"] == [5, 24, 24, 3]
    assert found["output"] == [5, 3]
    assert found["classes"] == ["bar", "disc", "frame"]
    assert found["columns"] == ["label", "split", "predicted", "probability", "entropy", "model_version"]
