from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.images.manifest import FACTS, IMAGES, LISTING, QUARANTINE, manifest_version
from cv_pipelines.images.tabulation import Tables, tabulate


@dataclass(frozen=True)
class File:
    """A file as a source lists it, and what reading it would come to."""

    path: str
    image_id: str = ""
    source_label: str | None = None
    code: str = ""
    problem: str = ""
    location: str = ""
    source_split: str | None = None
    source_group: str = ""
    reason: str = "bad"
    brightness: float = 0.5


def listed(file: File) -> dict[str, Any]:
    row = {name: value for name, value in asdict(file).items() if name in LISTING.names}
    return row | {"location": file.location or f"/data/{file.path}", "stamp": "" if file.problem else "3:4"}


def read(file: File) -> dict[str, Any]:
    if file.code:
        return listed(file) | {"code": file.code, "reason": file.reason}
    measured = {"width": 4, "height": 3, "channels": 3, "format": "PNG", "orientation": 1, "frames": 1, "bytes": 9}
    return asdict(file) | listed(file) | measured | {"reason": ""}


def tables(*files: File, accepted: set[str] | None = None, more: tuple[File, ...] = ()) -> Tables:
    """Tabulate files; `more` were read once and are not listed any more."""
    listing = pa.Table.from_pylist([listed(file) for file in files], LISTING).sort_by("path")
    facts = [{name: read(file).get(name) for name in FACTS.names} for file in (*more, *files) if not file.problem]
    return tabulate(listing, pa.Table.from_pylist(facts, FACTS), accepted or set())


CONTENTS = {"a": "", "b": "", "c": "", "d": "", "e": "empty", "f": "undecodable"}
"""Reasons against files by their content, which the image id stands for here."""


@st.composite
def sources(draw: st.DrawFn) -> list[File]:
    """Files of equal and of other content, with and without classes, some listed twice, some with a problem."""
    files = []
    for number in range(draw(st.integers(0, 12))):
        content = draw(st.sampled_from("aaabbcdef"))
        label = draw(st.sampled_from([None, "cat", "dog"]))
        problem = draw(st.sampled_from(["", "", "", "a socket"]))
        files.append(File(f"{number}.png", content, label, CONTENTS[content], problem))
        if not problem and draw(st.booleans()):  # a table may name a file in two rows, or in two classes
            other = draw(st.sampled_from([None, "cat", "dog"]))
            path = draw(st.sampled_from([f"{number}.png", f"./{number}.png"]))
            files.append(File(path, content, other, CONTENTS[content], location=f"/data/{number}.png"))
    return draw(st.permutations(files))


@given(sources(), st.data())
def test_every_file_is_an_image_a_duplicate_or_quarantined(files: list[File], data: st.DataObject) -> None:
    gone = (File("gone.png", "z"), File("gone too.png", code="empty"))
    accepted = data.draw(st.sets(st.sampled_from([file.path for file in files]))) if files else set()

    found = tables(*files, accepted=accepted, more=gone)

    used = [path for paths in found.images["sources"].to_pylist() for path in paths]
    quarantined = found.quarantine["path"].to_pylist()
    assert Counter(used + quarantined) == Counter(file.path for file in files)
    assert quarantined == sorted(quarantined)
    good = [file for file in files if not file.code and not file.problem]
    assert set(found.images["image_id"].to_pylist()) == {one.image_id for one in good} - conflicts(good, accepted)
    assert found.images["image_id"].to_pylist() == sorted(set(found.images["image_id"].to_pylist()))
    assert all(paths == sorted(paths) for paths in found.images["sources"].to_pylist())
    locations = {listed(file)["location"] for file in files if not file.problem}
    assert set(found.files["location"].to_pylist()) == locations
    assert found.images.schema.equals(IMAGES)
    assert found.quarantine.schema.equals(QUARANTINE)
    assert found.files.schema.equals(FACTS)


def conflicts(good: list[File], accepted: set[str]) -> set[str]:
    """Images that stand in two classes, where nobody has said which one is right."""
    labels: dict[str, set[str]] = {}
    for file in good:
        classes = labels.setdefault(file.image_id, set())
        if file.source_label is not None:
            classes.add(file.source_label)
    chosen = {file.image_id for file in good if file.path in accepted and file.source_label}
    return {image for image, classes in labels.items() if len(classes) > 1} - chosen


@given(sources())
def test_the_order_of_the_files_does_not_matter(files: list[File]) -> None:
    usual, turned = tables(*files), tables(*files[::-1])

    assert usual.images.equals(turned.images)
    assert usual.quarantine.equals(turned.quarantine)


def test_the_reason_says_what_is_wrong_with_which_file() -> None:
    empty = File("empty.png", code="empty", reason="The file is empty.")

    found = tables(File("good.png", "a"), empty, File("s", problem="a socket"))

    assert [tuple(row.values()) for row in found.quarantine.to_pylist()] == [
        ("empty.png", "empty", "The file is empty.", None),
        ("s", "unusable", "a socket", None),
    ]


def test_the_same_image_in_two_classes_is_quarantined_with_all_its_copies() -> None:
    found = tables(
        File("cat/1", "x", "cat"), File("dog/1", "x", "dog"), File("dog/2", "x", "dog"), File("dog/3", "y", "dog")
    )

    assert found.images["image_id"].to_pylist() == ["y"]
    assert [(one["path"], one["code"], one["image_id"]) for one in found.quarantine.to_pylist()] == [
        ("cat/1", "label_conflict", "x"),
        ("dog/1", "label_conflict", "x"),
        ("dog/2", "label_conflict", "x"),
    ]
    assert "two classes" in found.quarantine["reason"][0].as_py()


def test_the_class_that_a_person_accepts_is_that_of_all_copies() -> None:
    files = (File("cat/1", "x", "cat"), File("dog/1", "x", "dog"), File("dog/2", "x", "dog"), File("1", "x"))

    found = tables(*files, accepted={"dog/2"})
    undecided = tables(*files, accepted={"1", "elsewhere"})

    assert found.quarantine.num_rows == 0
    assert found.images.select(["image_id", "sources", "source_label"]).to_pylist() == [
        {"image_id": "x", "sources": ["1", "cat/1", "dog/1", "dog/2"], "source_label": "dog"}
    ]
    assert undecided.images.num_rows == 0, "a file without a class decides nothing"


def test_an_image_has_the_label_of_whichever_copy_has_one() -> None:
    found = tables(File("1.png", "x"), File("cat/1.png", "x", "cat"))

    assert found.images.select(["sources", "source_label"]).to_pylist() == [
        {"sources": ["1.png", "cat/1.png"], "source_label": "cat"}
    ]


def test_what_an_image_is_comes_with_it_from_the_facts() -> None:
    file = File("1.png", "x", "cat", source_split="test", source_group="site", brightness=0.25)

    (row,) = tables(file).images.to_pylist()

    assert (row["width"], row["height"], row["format"], row["frames"], row["brightness"]) == (4, 3, "PNG", 1, 0.25)
    assert (row["source_split"], row["source_group"]) == ("test", "site")


def test_the_version_is_that_of_content_labels_splits_and_what_was_left_out() -> None:
    usual, bad = File("1.png", "x", "cat", source_split="train"), File("2.png", code="empty")
    variants = [
        (usual, bad),
        (File("other.png", "x", "cat", source_split="train"), bad),
        (File("1.png", "y", "cat", source_split="train"), bad),
        (File("1.png", "x", "dog", source_split="train"), bad),
        (File("1.png", "x", None, source_split="train"), bad),
        (File("1.png", "x", "cat", source_split="test"), bad),
        (File("1.png", "x", "cat", source_split="train", source_group="site"), bad),
        (usual, File("2.png", code="empty", reason="other")),
        (usual,),
    ]

    versions = [manifest_version(found.images, found.quarantine) for found in (tables(*rows) for rows in variants)]

    assert len(set(versions)) == len(variants)
    assert all(len(version) == 16 for version in versions)


def test_the_version_does_not_depend_on_what_follows_from_the_bytes_or_where_they_lie() -> None:
    here = tables(File("1.png", "x", "cat", brightness=0.1, location="/a"))
    there = tables(File("1.png", "x", "cat", brightness=0.2, location="/b"))

    assert manifest_version(here.images, here.quarantine) == manifest_version(there.images, there.quarantine)
