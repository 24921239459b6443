import pytest

from cv_pipelines.images.sources.layout import Placement, are_splits, is_wanted, placement, wrappers


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ([], Placement()),
        (["cat"], Placement("cat")),
        (["cat", "garden", "roof"], Placement("cat", None, "garden/roof")),
        (["train", "cat"], Placement("train", None, "cat")),
    ],
)
def test_the_first_folder_is_the_class_and_those_below_the_group(folders: list[str], expected: Placement) -> None:
    assert placement(folders, has_splits=False) == expected


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ([], Placement()),
        (["Train"], Placement(None, "train", "Train")),
        (["valid", "cat"], Placement("cat", "validation", "valid")),
        (["test", "cat", "farm"], Placement("cat", "test", "test/farm")),
    ],
)
def test_a_folder_of_a_split_stands_above_the_class(folders: list[str], expected: Placement) -> None:
    assert placement(folders, has_splits=True) == expected


def test_folders_are_splits_when_all_of_them_are_called_so() -> None:
    assert are_splits(["TRAIN", "dev", "testing"])
    assert not are_splits(["train", "cat"])
    assert not are_splits([])


def test_hidden_files_and_droppings_are_not_wanted() -> None:
    assert [name for name in (".git", "Thumbs.db", "__MACOSX", "._1.png", "1.png") if is_wanted(name)] == ["1.png"]


@pytest.mark.parametrize(
    ("folders", "count"),
    [
        ([], 0),
        ([[]], 0),
        ([["cat"]], 0),
        ([["cat"], ["dog"]], 0),
        ([["flowers", "rose"], ["flowers", "tulip"]], 1),
        ([["flowers"], ["flowers", "rose"]], 1),
        ([["flowers", "rose"], []], 0),
        ([["train", "cat"]], 0),
        ([["photos", "train", "cat"], ["photos", "test", "cat"]], 1),
    ],
)
def test_a_single_folder_around_folders_is_a_wrapper(folders: list[list[str]], count: int) -> None:
    assert wrappers(folders) == count
