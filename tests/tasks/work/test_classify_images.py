"""Tasks of the kind `classify_images`, with a real model and real worker processes."""

import base64
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.images.stored import StoredImages
from cv_pipelines.models.inference import open_model, predict_images
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.tasks.kinds.classify_images import ClassifyImagesParams, ClassifyImagesResult
from cv_pipelines.tasks.ledger.outcomes import Done, Outcome
from cv_pipelines.tasks.ledger.work import Task
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.running import Control
from cv_pipelines.tasks.work import classify_images as module
from cv_pipelines.tasks.work import image_reader
from cv_pipelines.tasks.work.classify_images import ClassifyImages
from cv_pipelines.tasks.work.image_files import read_uri
from cv_pipelines.tasks.work.image_reader import ImageItem, ImageReader, ReadImage
from cv_pipelines.tasks.work.open_tasks import OpenTasks
from tests.installation import free_port

HERE = ("127.0.0.1",)
COLOURS = {"red": (220, 30, 30), "green": (30, 220, 30), "blue": (30, 30, 220)}
Encode = Callable[..., bytes]
Serve = Callable[[dict[str, bytes | int]], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "images"
    path.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 30), colour).save(path / f"{name}.png")
    return path


@pytest.fixture
def work(catalog: Catalog, champion: Reference, folder: Path) -> ClassifyImages:
    return ClassifyImages(catalog, HERE, (str(folder),), 2)


def task(name: str, *uris: str | Path, **params: Any) -> Task:
    named = [uri.as_uri() if isinstance(uri, Path) else uri for uri in uris]
    return Task(name, ClassifyImagesParams(dataset="colours", uris=named, **params), 1, None)


def do(work: ClassifyImages, tasks: Sequence[Task], control: Control | None = None) -> dict[str, Outcome]:
    """Do tasks; every one of them is answered once at most."""
    found = list(work(tasks, control or Control()))
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def result_of(outcome: Outcome) -> ClassifyImagesResult:
    assert isinstance(outcome, Done), outcome
    return ClassifyImagesResult.model_validate(outcome.result)


def error_of(outcome: Outcome) -> tuple[str, str]:
    assert isinstance(outcome, TaskError)
    return outcome.source, outcome.code


def seen(outcome: Outcome) -> list[str]:
    """The likeliest class of each image of a task, or the code of its error."""
    return [one.error.code if one.error else one.predictions[0].label for one in result_of(outcome).images]


def test_a_task_is_told_of_each_image_in_its_order_with_the_likeliest_classes(
    work: ClassifyImages, folder: Path
) -> None:
    paths = [folder / f"{name}.png" for name in ("green", "red", "green", "blue")]
    outcomes = do(work, [task("a", *paths, top=2), task("b", paths[0], top=20)])

    result = result_of(outcomes["a"])
    assert result.model == "c0ffee"
    assert [image.uri for image in result.images] == [path.as_uri() for path in paths]
    assert [image.image_id for image in result.images] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    ]
    assert seen(outcomes["a"]) == ["green", "red", "green", "blue"]
    assert [len(image.predictions) for image in result.images] == [2] * 4
    (image,) = result_of(outcomes["b"]).images
    shares = [one.probability for one in image.predictions]
    assert sorted(one.label for one in image.predictions) == ["blue", "green", "red"]
    assert shares == sorted(shares, reverse=True) == [round(share, 6) for share in shares]
    assert sum(shares) == pytest.approx(1, abs=3e-6)


def test_a_file_is_seen_as_when_a_whole_data_set_is_predicted(
    work: ClassifyImages,
    champion: Reference,
    catalog: Catalog,
    folder: Path,
    picture: Callable[..., np.ndarray],
    encode: Encode,
    store_images: Callable[..., StoredImages],
) -> None:
    rotated = Image.Exif()
    rotated[0x0112] = 6
    files = {
        "large.jpg": encode(picture(1, 300, 200), "JPEG"),
        "small.jpg": encode(picture(2, 12, 9), "JPEG"),
        "upright.jpg": encode(picture(3, 200, 100), "JPEG", exif=rotated),
        "clear.png": encode(np.dstack([picture(4), np.arange(96, dtype=np.uint8) * np.ones((80, 1), np.uint8)])),
        "deep.tiff": encode(Image.fromarray(picture(5)[..., 0].astype(np.uint16) << 7), "TIFF"),
        "moving.gif": encode(
            Image.fromarray(picture(6)), "GIF", save_all=True, append_images=[Image.fromarray(picture(7))]
        ),
        "page.webp": encode(picture(8), "WEBP"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    images = store_images(catalog.store, files)
    network = open_model(catalog.open(champion))
    expected = np.concatenate(list(predict_images(network, images, list(files), 16)))

    result = result_of(do(work, [task("a", *(folder / name for name in files))])["a"])

    labels = ("blue", "green", "red")
    found = [{one.label: one.probability for one in image.predictions} for image in result.images]
    np.testing.assert_allclose([[one[label] for label in labels] for one in found], expected, atol=1.01e-6)


def test_images_come_from_messages_servers_and_folders_in_one_task(
    work: ClassifyImages, folder: Path, serve: Serve
) -> None:
    red = (folder / "red.png").read_bytes()
    url = serve({"/1.png": red})
    outcomes = do(
        work,
        [
            task("mixed", f"{url}/1.png", folder / "blue.png"),
            task("inline", image=base64.b64encode(red).decode()),
        ],
    )

    assert seen(outcomes["mixed"]) == ["red", "blue"]
    (image,) = result_of(outcomes["inline"]).images
    assert (image.uri, image.image_id) == (None, hashlib.sha256(red).hexdigest())
    assert image.predictions[0].label == "red"


def test_a_bad_image_has_an_error_of_its_own_and_its_neighbours_go_on(
    work: ClassifyImages, folder: Path, tmp_path: Path, encode: Encode, picture: Callable[..., np.ndarray]
) -> None:
    good = folder / "red.png"
    (tmp_path / "secret.png").write_bytes(good.read_bytes())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("<svg/>")
    (folder / "cut.jpg").write_bytes(encode(picture(), "JPEG")[:-500])
    (folder / "bomb.png").write_bytes(encode(Image.new("1", (20_000, 20_000))))
    names = ["none.png", "link.png", "empty.png", "text.png", "cut.jpg", "bomb.png"]
    bad = [good, *(folder / name for name in names), tmp_path / "secret.png", good]

    outcomes = do(work, [task("a", *bad), task("b", good), task("c", folder / "text.png")])

    codes = ["unreadable", "forbidden_file", "empty", "not_an_image", "undecodable", "too_many_pixels"]
    assert seen(outcomes["a"]) == ["red", *codes, "forbidden_file", "red"]
    images = result_of(outcomes["a"]).images
    assert {image.error.source for image in images if image.error} == {"input"}
    assert [bool(image.image_id) for image in images] == [True, False, False, *[True] * 4, False, True]
    assert seen(outcomes["b"]) == ["red"]
    assert error_of(outcomes["c"]) == ("input", "not_an_image")


def test_a_task_of_which_every_image_is_bad_fails_with_the_first_error(work: ClassifyImages, folder: Path) -> None:
    (folder / "text.png").write_text("no image")
    outcome = do(work, [task("a", folder / "none.png", folder / "text.png", folder / "text.png")])["a"]

    assert isinstance(outcome, TaskError)
    assert (outcome.source, outcome.code) == ("input", "unreadable")
    assert outcome.message == (
        "None of the 3 images can be classified; the first one: Cannot be read: No such file or directory."
    )


def test_a_failing_network_fails_the_whole_task_so_that_it_is_tried_again(
    work: ClassifyImages, folder: Path, serve: Serve
) -> None:
    url = serve({"/busy.png": 503})
    red, away = folder / "red.png", f"http://127.0.0.1:{free_port()}/1.png"
    outcomes = do(
        work,
        [
            task("a", red, f"{url}/busy.png", red),
            task("b", away),
            task("c", f"{url}/none.png", red),
            task("d", red),
        ],
    )

    assert outcomes["a"] == TaskError(
        source="infrastructure",
        code="unreachable",
        message="Image 2 of 3: Cannot be read: the server answers 503.",
    )
    assert error_of(outcomes["b"]) == ("infrastructure", "unreachable")
    assert seen(outcomes["c"]) == ["unreadable", "red"]
    assert seen(outcomes["d"]) == ["red"]


class DeadlyReader(ImageReader):
    """Some files kill whoever decodes them; at others a decoder comes to no end."""

    def __call__(self, items: Sequence[ImageItem]) -> list[ReadImage]:
        decode = image_reader._decode

        def fragile(data: bytes, size: int) -> np.ndarray:
            if data == b"deadly":
                os._exit(11)
            if data == b"endless":
                hashlib.pbkdf2_hmac("sha256", b"", b"", 5 * 10**7)
            return decode(data, size)

        image_reader._decode = fragile
        image_reader.DECODE_SECONDS = 1
        try:
            return super().__call__(items)
        finally:
            image_reader._decode = decode


def test_a_decoder_that_dies_or_hangs_is_one_image_s_error(
    work: ClassifyImages, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ImageReader", DeadlyReader)
    deadly, endless, red = folder / "deadly.png", folder / "endless.png", folder / "red.png"
    deadly.write_bytes(b"deadly")
    endless.write_bytes(b"endless")
    tasks = [task(f"good-{number}", red) for number in range(20)]
    tasks[5:5] = [
        task("a", red, deadly, red),
        task("b", endless),
        task("c", image=base64.b64encode(b"deadly").decode()),
    ]

    outcomes = do(work, tasks)

    assert seen(outcomes.pop("a")) == ["red", "decoder_crashed", "red"]
    assert error_of(outcomes.pop("b")) == error_of(outcomes.pop("c")) == ("input", "decoder_crashed")
    assert len(outcomes) == 20
    assert all(seen(outcome) == ["red"] for outcome in outcomes.values())


class BuggyReader(ImageReader):
    """Has a bug that one file brings out."""

    def __call__(self, items: Sequence[ImageItem]) -> list[ReadImage]:
        with pytest.MonkeyPatch.context() as change:
            change.setattr(
                image_reader, "read_uri", lambda uri, *rest: {}[uri] if "blue" in uri else read_uri(uri, *rest)
            )
            return super().__call__(items)


def test_our_bug_at_one_image_fails_its_task_as_our_fault_and_no_other(
    work: ClassifyImages, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ImageReader", BuggyReader)
    outcomes = do(work, [task("a", folder / "red.png", folder / "blue.png"), task("b", folder / "red.png")])

    assert error_of(outcomes["a"]) == ("internal", "unexpected")
    assert seen(outcomes["b"]) == ["red"]


def test_the_log_says_where_our_bug_is(caplog: pytest.LogCaptureFixture) -> None:
    [read] = BuggyReader(32, (), ())([ImageItem(0, 0, "file:///blue.png")])

    assert read.error is not None
    assert read.error.source == "internal"
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


def test_without_a_champion_nothing_is_answered(catalog: Catalog, folder: Path) -> None:
    work = ClassifyImages(catalog, (), (str(folder),), 2)

    with pytest.raises(InputError, match="There is no data set 'colours'"):
        list(work([task("a", folder / "red.png")], Control()))
    assert list(work([], Control())) == []


def test_a_task_that_ends_in_the_middle_is_not_answered_and_costs_no_more_reads(
    work: ClassifyImages, folder: Path, serve: Serve
) -> None:
    asked: list[str] = []
    control = Control()
    red = (folder / "red.png").read_bytes()

    class Answers(dict[str, bytes | int]):
        def get(self, path: str, default: Any = None) -> Any:  # as the server asks
            asked.append(path)
            control.ended.add("long")
            return red

    url = serve(Answers())
    long = task("long", *(f"{url}/{number}.png" for number in range(256)))
    outcomes = do(work, [task("gone", folder / "red.png"), long, task("after", folder / "blue.png")], control)

    assert set(outcomes) == {"gone", "after"}
    assert seen(outcomes["after"]) == ["blue"]
    assert 0 < len(asked) < 150  # what was under way
    assert control.progress == {}


def test_a_task_that_has_ended_before_it_begins_is_left_out(work: ClassifyImages, folder: Path) -> None:
    control = Control(ended={"b"})
    tasks = [task(name, folder / "red.png") for name in "abc"]

    assert set(do(work, tasks, control)) == {"a", "c"}


def test_a_run_that_was_superseded_stops(work: ClassifyImages, folder: Path) -> None:
    control = Control()
    answers = work([task(str(number), folder / "red.png") for number in range(2000)], control)
    next(answers)
    control.superseded.set()

    assert len(list(answers)) < 200  # those that were known


def test_the_share_of_images_that_are_done_is_told_while_a_task_runs(work: ClassifyImages, folder: Path) -> None:
    told: list[float] = []

    class Watched(dict[str, float]):
        def __setitem__(self, name: str, share: float) -> None:
            assert name == "many"
            told.append(share)
            super().__setitem__(name, share)

    control = Control(progress=Watched())
    do(work, [task("one", folder / "red.png"), task("many", *[folder / "red.png"] * 200)], control)

    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (0.01, 0.99, 199)  # 200 images; that of the last is the end
    assert control.progress == {}


class StallingReader(ImageReader):
    """Takes long over one batch in the middle, as a slow server or a busy machine has it."""

    def __call__(self, items: Sequence[ImageItem]) -> list[ReadImage]:
        if any(item.task == 320 for item in items):
            time.sleep(1)
        return super().__call__(items)


def test_of_many_tasks_few_are_held_and_a_slow_one_holds_up_no_other(
    work: ClassifyImages, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    class Watched(OpenTasks):
        def items(self) -> Iterator[ImageItem]:
            for item in super().items():
                held.append(len(self._open))
                yield item

    monkeypatch.setattr(module, "OpenTasks", Watched)
    monkeypatch.setattr(module, "ImageReader", StallingReader)
    for number in range(3):
        shutil.copy(folder / "green.png", folder / f"{number}.png")
    tasks = [task(str(number), folder / f"{number % 4}.png") for number in range(3000)]

    outcomes = do(work, tasks)

    assert set(outcomes) == {task.id for task in tasks}
    for name, outcome in outcomes.items():
        if int(name) % 4 == 3:
            assert error_of(outcome) == ("input", "unreadable")
        else:
            assert seen(outcome) == ["green"]
    names = list(outcomes)
    assert names.index("320") > names.index("500")
    assert len(held) == 3000
    assert max(held) < 400  # six batches of 32 that are read, those that wait for the model, and one being made
