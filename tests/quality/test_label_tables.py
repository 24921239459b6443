"""Labels from the store through the checks that stand before training."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from cv_pipelines.annotations.annotation import NONE
from cv_pipelines.annotations.labels import make_labels
from cv_pipelines.annotations.store.classes import ensure_classes
from cv_pipelines.annotations.store.events import Author, Change, append, writing
from cv_pipelines.catalog import Catalog
from cv_pipelines.images.manifest import IMAGES
from cv_pipelines.quality import label_tables
from cv_pipelines.quality.results import MOST_FINDINGS, CheckResult
from cv_pipelines.quality.validation import check_asset
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.bundles import put_bundle, put_table

CLASSES = ("cat", "dog")
Check = Callable[[], dict[str, CheckResult]]


@pytest.fixture
def check(catalog: Catalog) -> Check:
    """Makes a version of what is said of 40 images, and checks it; returns what fails, by name."""
    images = [
        {"image_id": f"i{n:02}", "sources": [f"{CLASSES[n % 2]}/{n:02}.png"], "width": 64, "height": 48}
        for n in range(40)
    ]
    rows = [{**one, "source_label": CLASSES[n % 2]} for n, one in enumerate(images)]
    parts = {"images": put_table(catalog.store, pa.Table.from_pylist(rows, IMAGES))}
    manifest = put_bundle(catalog.store, "image_manifest", "m1", {}, parts)
    catalog.publish("image_manifest", "pets", manifest)

    def run() -> dict[str, CheckResult]:
        catalog.publish("labels", "pets", make_labels(catalog, "pets", manifest).reference)
        return {one.name: one for one in check_asset(catalog, "labels", "pets") if not one.passed}

    assert run() == {}
    return run


def say(catalog: Catalog, who: str, image: str, content: str | None, adjudicates: bool = False) -> None:
    with writing(catalog.database, "pets") as connection:
        append(connection, "pets", [Change(image, content, adjudicates=adjudicates)], Author(who))


def test_what_is_wrong_is_told_with_the_image_by_its_path(catalog: Catalog, check: Check) -> None:
    say(catalog, "ann", "i03", '{"classes":[1],"boxes":[[0,60,0,9,9],[1,1,1,-3,4]]}')

    found = check()

    assert found.keys() == {"boxes_have_area", "boxes_within_images"}
    (outside,) = found["boxes_within_images"].rows
    assert outside == {"image": "dog/03.png", "problem": "'cat' at 60, 0, 9 x 9 is outside of 64 x 48"}
    assert found["boxes_have_area"].blocking


def test_all_findings_are_counted_and_a_hundred_are_shown(catalog: Catalog, check: Check) -> None:
    many = ",".join(f"[0,{n % 40},{n // 40},0,1]" for n in range(MOST_FINDINGS + 30))
    say(catalog, "ann", "i03", f'{{"classes":[1],"boxes":[{many}]}}')
    say(catalog, "ann", "i04", '{"classes":[0],"boxes":[[0,60,0,9,9]]}')

    found = check()

    assert (found["boxes_have_area"].failing, len(found["boxes_have_area"].rows)) == (130, MOST_FINDINGS)
    assert found["boxes_within_images"].failing == 1


def test_of_several_classes_each_must_be_known(catalog: Catalog, check: Check) -> None:
    with writing(catalog.database, "pets") as connection:
        ensure_classes(connection, "pets", [("ghost", "", NONE)], "ann", "unknown")
    say(catalog, "ann", "i03", '{"classes":[1,2]}')
    say(catalog, "ann", "i04", '{"classes":[2]}')

    found = check()

    assert found["objects_in_vocabulary"].rows == [
        {"image": "dog/03.png", "problem": "the class 'ghost' is not in the label set"}
    ]
    assert found["labels_in_vocabulary"].rows == [{"image_id": "i04", "label": "ghost"}]


def test_labels_of_images_that_are_gone_only_warn(catalog: Catalog, check: Check) -> None:
    say(catalog, "ann", "gone", '{"boxes":[[0,600,0,9,0]]}')

    found = check()

    assert found.keys() == {"labels_of_known_images"}
    assert not found["labels_of_known_images"].blocking
    assert found["labels_of_known_images"].rows == [{"image_id": "gone"}]


def test_a_dispute_stops_training_until_a_verdict_though_that_leaves_the_labels_as_they_are(
    catalog: Catalog, check: Check
) -> None:
    say(catalog, "ann", "i03", '{"classes":[0]}')
    say(catalog, "bob", "i03", '{"classes":[1]}')
    found = check()
    before = catalog.require("labels", "pets").version
    assert found.keys() == {"nothing_in_dispute", "few_in_dispute"}
    assert found["few_in_dispute"].blocking
    assert found["few_in_dispute"].rows == [{"images": 1, "in_dispute": 1, "allowed_share": 0.2}]
    assert found["nothing_in_dispute"].rows == [{"image": "dog/03.png", "problem": "ann: cat; bob: dog"}]

    say(catalog, "cid", "i03", '{"classes":[1]}', adjudicates=True)

    assert check() == {}
    assert catalog.require("labels", "pets").version == before


def test_how_much_may_be_in_dispute_is_a_setting(
    catalog: Catalog, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CV_MOST_DISPUTED", "1")
    load_settings.cache_clear()
    say(catalog, "ann", "i03", '{"classes":[0]}')
    say(catalog, "bob", "i03", '{"classes":[1]}')

    assert check().keys() == {"nothing_in_dispute"}
    monkeypatch.undo()
    load_settings.cache_clear()


def test_people_who_disagree_about_an_image_that_is_gone_stop_nobody(catalog: Catalog, check: Check) -> None:
    say(catalog, "ann", "gone", '{"classes":[0]}')
    say(catalog, "bob", "gone", '{"classes":[1]}')

    assert check().keys() == {"labels_of_known_images"}


def test_where_all_images_have_one_class_they_are_not_read_one_by_one(
    catalog: Catalog, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(label_tables, "read_annotations", read)

    assert check() == {}
    say(catalog, "ann", "i03", '{"boxes":[[0,1,1,3,4]]}')
    with pytest.raises(AssertionError, match="read"):
        check()
