"""`cv-pipelines labels ask|queue|rounds`: what a person sees, from the first labels on."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from cv_pipelines.cli.labels_queue import parse_parameters
from cv_pipelines.cli.main import main
from tests.installation import Installation, draw_shapes


def test_the_first_images_are_asked_for_and_shown_with_reasons(installation: Installation, tmp_path: Path) -> None:
    for photo in draw_shapes(tmp_path / "shapes", each=4).glob("*/*.png"):
        target = tmp_path / "flat" / f"{photo.parent.name}-{photo.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(photo, target)
    installation.run("dataset", "add", "flat", str(tmp_path / "flat"))
    assert "'flat' has no image_manifest yet" in installation.run("labels", "ask", "flat", status=1).stderr
    installation.run("dataset", "sync", "flat")
    assert "labels ask flat" in installation.run("labels", "queue", "flat", status=1).stderr

    done = installation.json(
        "labels", "ask", "flat", "--strategy", "entropy=3", "--strategy", "random", "--set", "size=8"
    )
    assert done["succeeded"]
    told = installation.json("labels", "queue", "flat")
    assert told["parameters"]["strategies"] == {"entropy": 3.0, "random": 1.0}
    assert (told["images"], told["replaced"], told["model"]) == (8, ["entropy"], None)
    first, *_ = rows = told["queue"]
    assert [row["rank"] for row in rows] == [*range(1, 9)]
    assert {row["strategy"] for row in rows} == {"random"}

    installation.run("labels", "classes", "add", "flat", "bar")
    installation.run("labels", "set", "flat", first["image"], "--class", "bar", "--by", "ann")
    shown = installation.run("labels", "queue", "flat").stdout
    assert "7 of 8 images wait for their labels; predictions by nobody" in shown
    assert Counter(line.split()[-1] for line in shown.splitlines() if "drawn by lot" in line) == {
        "yes": 1,
        "no": 7,
    }
    assert installation.json("labels", "queue", "flat", "--strategy", "margin")["queue"] == []


def test_rounds_are_told_and_drawn(finished: Installation, tmp_path: Path) -> None:
    picture = tmp_path / "rounds.png"
    told = finished.json("labels", "rounds", "shapes", "--picture", str(picture))
    (first,) = told["rounds"]
    assert first["labelled"] == {"import": 90}
    assert 0.4 < first["accuracy"] <= 1
    assert (first["gain"], first["promoted"], first["asked"]) == (None, True, {})
    assert picture.read_bytes().startswith(b"\x89PNG")
    shown = finished.run("labels", "rounds", "shapes").stdout
    assert first["model"] in shown
    assert "import 90" in shown


def test_parameters_have_their_types() -> None:
    assert parse_parameters(("entropy=2", "diverse"), ("size=50", "classes=bar,disc", "threshold=0.7")) == {
        "strategies": {"entropy": 2.0, "diverse": 1.0},
        "size": 50,
        "classes": ["bar", "disc"],
        "threshold": 0.7,
    }
    assert parse_parameters((), ()) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--strategy", "entropie"], "no strategy 'entropie'"),
        (["--strategy", "entropy=much"], "strategies.entropy"),
        (["--set", "size=0"], "greater than or equal to 1"),
        (["--set", "sise=3"], "KEY is one of size"),
        (["--set", "strategies=random"], "KEY is one of size"),
        (["--set", "size"], "write KEY=VALUE"),
    ],
)
def test_mistakes_in_parameters_are_told(words: list[str], told: str) -> None:
    done = CliRunner().invoke(main, ["labels", "ask", "shapes", *words])
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())
