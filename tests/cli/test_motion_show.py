"""`cv-pipelines motion show`, `proof` and `package`: what has been made of the archive, for people."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.main import main
from cv_pipelines.errors import InputError
from cv_pipelines.motion.artefacts.motion import analyse_share, begin_motion, finish_motion
from cv_pipelines.motion.artefacts.regions import make_regions
from cv_pipelines.motion.artefacts.thumbnails import make_thumbnails
from cv_pipelines.motion.artefacts.video import catalogue_video
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.thresholds import Thresholds
from cv_pipelines.settings import load_settings
from cv_pipelines.videos.archive import register_videos
from cv_pipelines.videos.listing import ListedVideo
from tests.motion.clips import camera, scene_of, views, write_clip

Run = Callable[..., Result]
SIZE = (320, 180)
FRAMES = 40


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two films of the same name in which the camera rests, and one that nobody has analysed."""
    folder = tmp_path_factory.mktemp("films")
    for number, name in enumerate(("january/reef.mp4", "june/reef.mp4")):
        (folder / name).parent.mkdir()
        write_clip(folder / name, views(scene_of(str(number + 7), *SIZE), camera(FRAMES), *SIZE))
    (folder / "new.mp4").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def run(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """`run(*words)`: a command on an archive in which these films are analysed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CV_STATE", str(tmp_path_factory.mktemp("state")))
        patch.chdir(films)
        load_settings.cache_clear()
        catalog = open_catalog()
        for file in ("january/reef.mp4", "june/reef.mp4"):
            analyse(catalog, films / file)
        register(catalog, films / "new.mp4")
        yield lambda *words: CliRunner().invoke(main, ["motion", *words])
    load_settings.cache_clear()


def register(catalog: Catalog, file: Path) -> str:
    ((one,),) = register_videos(catalog.database, [ListedVideo(str(file), file.name, None)])
    return one.video.key


def analyse(catalog: Catalog, file: Path) -> None:
    key, parameters = register(catalog, file), MotionParameters()
    video = catalogue_video(catalog, key).reference
    for share in begin_motion(catalog, video, parameters):
        analyse_share(catalog, video, parameters, share, 1)
    motion = finish_motion(catalog, video, parameters).reference
    regions = make_regions(catalog, motion, Thresholds()).reference
    thumbnails = make_thumbnails(catalog, video, regions, 1).reference
    for one in (video, motion, regions, thumbnails):
        catalog.publish(one.kind, key, one)


def test_show_tells_the_regions_and_saves_the_pictures(run: Run, tmp_path: Path) -> None:
    line, sheet = tmp_path / "line.png", tmp_path / "sheet.jpg"

    told = run("show", "january/reef.mp4", "--out", str(line), "--contacts", str(sheet))

    assert told.exit_code == 0, told.output
    assert "reef.mp4: 1 region, 100% of the frames static" in told.output
    with Image.open(line) as image:
        assert (image.format, image.width > 500) == ("PNG", True)
    with Image.open(sheet) as image:
        assert image.format == "JPEG"
        assert np.asarray(image).std() > 20
    found = json.loads(run("show", "january/reef.mp4", "--json").stdout)
    assert [row["kind"] for row in found["regions"]] == ["static"]
    assert found["frames"] == FRAMES
    assert json.loads(run("show", found["key"], "--json").stdout) == found


def test_a_proof_sheet_has_a_row_for_each_video(run: Run, tmp_path: Path) -> None:
    one, both = tmp_path / "one.jpg", tmp_path / "both.jpg"

    assert run("proof", "june/reef.mp4", "--out", str(one)).exit_code == 0
    assert run("proof", "january/reef.mp4", "june/reef.mp4", "--out", str(both)).exit_code == 0

    with Image.open(one) as image, Image.open(both) as two:
        assert two.width == image.width
        assert two.height > 1.6 * image.height


def test_a_package_has_the_videos_that_are_analysed_by_their_addresses(
    run: Run, films: Path, tmp_path: Path
) -> None:
    assert run("package", "--out", str(tmp_path / "all")).exit_code == 0
    assert run("package", "june/reef.mp4", "--out", str(tmp_path / "june.zip")).exit_code == 0

    rows = list(csv.DictReader(io.StringIO((tmp_path / "all" / "videos.csv").read_text())))
    assert sorted(row["video"] for row in rows) == [str(films / name / "reef.mp4") for name in ("january", "june")]
    assert (tmp_path / "june.zip").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "none.mp4"), "The archive has no video"),
        (("show", "new.mp4"), "has no motion_regions yet"),
        (("show", "new.mp4", "--out", "line.jpg"), "must end in .png"),
        (("show", "new.mp4", "--contacts", "sheet.png"), "must end in .jpg or .jpeg"),
        (("proof", "january/reef.mp4", "new.mp4", "--out", "proof.jpg"), "no pictures yet of new~"),
        (("proof", "january/reef.mp4", "--out", "proof.png"), "must end in .jpg"),
        (("package", "new.mp4", "--out", "package"), "has no motion_regions yet"),
    ],
)
def test_what_is_missing_is_named(run: Run, words: tuple[str, ...], message: str) -> None:
    told = run(*words)
    assert told.exit_code == 1
    assert message in told.output.replace("\n", " ")


def test_a_video_that_is_bad_says_so(run: Run, films: Path) -> None:
    catalog = open_catalog()
    with pytest.raises(InputError, match="is empty"):
        catalogue_video(catalog, register(catalog, films / "new.mp4"))

    told = run("show", "new.mp4")

    assert "it is in quarantine" in told.output
    assert "is empty" in told.output
