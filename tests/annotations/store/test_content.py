import json

import pytest
from hypothesis import given

from cv_pipelines.annotations.annotation import Annotation, Box
from cv_pipelines.annotations.store.content import NOTHING, annotation_of, classes_in, content_of, digest_of
from tests.annotations.labels import annotations


@given(annotations())
def test_an_annotation_comes_back_as_it_was(some: list[Annotation]) -> None:
    names = sorted({box.label for one in some for box in one.boxes})
    for one in some:
        content = content_of(one, names.index)
        assert annotation_of(content, dict(enumerate(names)), one.image, one.width, one.height) == one
        assert classes_in(content) == ([], [names.index(box.label) for box in one.boxes])


def test_everything_that_an_annotation_has_is_kept_and_the_same_is_the_same_text() -> None:
    ring = ((0.0, 0.0), (4.0, 0.0), (4.0, 3.0))
    boxes = (Box("cat", 0, 0, 4, 3, (ring,), {"difficult": True, "group": "a"}), Box("dog", 1, 1.5, 2, 2))
    one = Annotation("a.png", 8, 9, ("dog", "cat"), boxes, {"split": "train"})
    number = ["cat", "dog"].index

    content = content_of(one, number)

    assert annotation_of(content, {0: "cat", 1: "dog"}, "a.png", 8, 9) == one
    assert json.loads(content)["boxes"][1] == [1, 1.0, 1.5, 2.0, 2.0]
    assert content == content_of(annotation_of(content, {0: "cat", 1: "dog"}, "a.png", 8, 9), number)


def test_labels_of_a_class_without_a_name_are_left_out() -> None:
    one = Annotation("a", classes=("cat", "dog"), boxes=(Box("cat", 0, 0, 1, 1), Box("dog", 0, 0, 1, 1)))

    left = annotation_of(content_of(one, ["cat", "dog"].index), {1: "dog"}, "a")

    assert left == Annotation("a", classes=("dog",), boxes=(Box("dog", 0, 0, 1, 1),))


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="float"):
        content_of(Annotation("a", boxes=(Box("cat", float("nan"), 0, 1, 1),)), lambda _: 0)


def test_digests_differ_by_image_and_content_and_no_label_is_nothing() -> None:
    digests = {digest_of("a", "{}"), digest_of("b", "{}"), digest_of("a", '{"classes":[0]}'), digest_of("a", None)}

    assert len(digests) == 4
    assert digest_of("a", None) == NOTHING == digest_of("b", None)
