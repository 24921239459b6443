import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from cv_pipelines.annotations.splits import ASSIGNMENTS
from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.models.evaluation import evaluate
from cv_pipelines.models.promotion import compare_models, consider
from cv_pipelines.models.registry import find_model, ledger, list_models, promote, register, standing
from cv_pipelines.storage.bundles import Reference, put_bundle, put_table

Inputs = tuple[Reference, Reference, Reference]
Take = Callable[[Catalog, Path], Inputs]


@pytest.fixture
def good(own_colours: Catalog, colours: Catalog, trained: Reference) -> Reference:
    """The trained model, in a catalog of its own."""
    bundle = colours.open(trained)
    for key in (trained.key, *bundle.parts.values()):
        own_colours.store.put(key, colours.store.get(key))
    return trained


@pytest.fixture
def always_red(own_colours: Catalog, always: Callable[..., Reference]) -> Reference:
    return always(own_colours, "red")


def crown(catalog: Catalog, model: Reference) -> None:
    """Make a model the champion without asking anybody."""
    register(catalog.database, "colours", model)
    promote(catalog.database, find_model(catalog.database, model.version), "champion", "ann", "by hand", {})


def champion_of(catalog: Catalog, dataset: str = "colours") -> str | None:
    return standing(catalog.database, dataset, "champion")


def judged_on(catalog: Catalog, splits: Reference, chosen: Callable[[str], bool]) -> Reference:
    """Splits of today, in which the test is of the chosen images."""
    rows = catalog.open(splits).table("assignments").to_pylist()
    changed = [{**row, "split": "test" if chosen(row["image_id"]) else "train"} for row in rows]
    parts = {"assignments": put_table(catalog.store, pa.Table.from_pylist(changed, ASSIGNMENTS))}
    return put_bundle(catalog.store, "dataset_splits", "today", {}, parts)


def test_a_first_model_that_has_learned_something_becomes_champion(
    own_colours: Catalog, inputs: Inputs, good: Reference
) -> None:
    champion, answer = consider(own_colours, "colours", good, *inputs, "run 7")
    assert champion == good
    assert answer.decision == "promote"
    assert champion_of(own_colours) == good.version
    (entry,) = ledger(own_colours.database, "colours")
    assert (entry.who, entry.why, entry.action) == ("run 7", " ".join(answer.reasons), "promote")
    assert entry.metrics["accuracy"] > 0.9
    assert entry.metrics["comparison"]["decision"] == "promote"


def test_a_first_model_that_has_learned_nothing_is_only_a_challenger(
    own_colours: Catalog, inputs: Inputs, always_red: Reference
) -> None:
    champion, answer = consider(own_colours, "colours", always_red, *inputs, "run 7")
    assert champion is None
    assert answer.decision == "keep"
    assert champion_of(own_colours) is None
    assert standing(own_colours.database, "colours", "challenger") == always_red.version
    assert [model.version for model in list_models(own_colours.database, "colours")] == [always_red.version]


def test_a_worse_model_leaves_the_champion_where_it_is(
    own_colours: Catalog, inputs: Inputs, good: Reference, always_red: Reference
) -> None:
    consider(own_colours, "colours", good, *inputs, "run 1")
    champion, answer = consider(own_colours, "colours", always_red, *inputs, "run 2")
    assert champion == good
    assert answer.decision == "keep"
    assert answer.reasons[0].startswith("It is less accurate by 0.6")
    assert champion_of(own_colours) == good.version
    (entry,) = ledger(own_colours.database, "colours", "challenger")
    assert (entry.model, entry.action, entry.who) == (always_red.version, "challenge", "run 2")
    assert entry.why == " ".join(answer.reasons)


def test_a_better_model_takes_the_champions_place(
    own_colours: Catalog, inputs: Inputs, good: Reference, always_red: Reference
) -> None:
    crown(own_colours, always_red)
    champion, answer = consider(own_colours, "colours", good, *inputs, "run 2")
    assert (champion, answer.decision) == (good, "promote")
    newest = ledger(own_colours.database, "colours")[0]
    assert (newest.model, newest.previous) == (good.version, always_red.version)


def test_the_champion_itself_is_not_promoted_again(own_colours: Catalog, inputs: Inputs, good: Reference) -> None:
    consider(own_colours, "colours", good, *inputs, "run 1")
    champion, answer = consider(own_colours, "colours", good, *inputs, "run 2")
    assert (champion, answer.reasons) == (good, ["It is the champion already."])
    assert len(ledger(own_colours.database, "colours")) == 1
    assert ledger(own_colours.database, "colours", "challenger") == []


def test_the_champion_is_judged_on_the_test_split_of_today(
    own_colours: Catalog, inputs: Inputs, good: Reference, always_red: Reference
) -> None:
    manifest, labels, splits = inputs
    crown(own_colours, always_red)
    before = evaluate(own_colours, always_red, *inputs).bundle.facts
    assert before["accuracy"] < 0.5
    reds = {
        row["image_id"] for row in own_colours.open(labels).table("labels").to_pylist() if row["label"] == "red"
    }
    today = judged_on(own_colours, splits, reds.__contains__)
    _, answer = consider(own_colours, "colours", good, manifest, labels, today, "run 2")
    assert evaluate(own_colours, always_red, manifest, labels, today).bundle.facts["accuracy"] == 1.0
    accuracy = evaluate(own_colours, good, manifest, labels, today).bundle.facts["accuracy"]
    assert answer.difference is not None
    assert answer.difference[0] == pytest.approx(accuracy - 1.0)
    figures = ledger(own_colours.database, "colours")[0].metrics
    assert (figures["images"], figures["splits"]) == (24, "today")


def test_a_person_decides_about_a_model_that_knows_a_class_less(
    own_colours: Catalog, inputs: Inputs, good: Reference, always: Callable[..., Reference]
) -> None:
    crown(own_colours, always(own_colours, "red", ("blue", "green", "pink", "red")))
    champion, answer = consider(own_colours, "colours", good, *inputs, "run 2")
    assert answer.decision == "ask"
    assert "(pink)" in answer.reasons[0]
    assert champion is not None
    assert champion_of(own_colours) == champion.version == "always-red"
    assert standing(own_colours.database, "colours", "challenger") == good.version


def test_a_person_decides_about_a_model_that_knows_a_class_more(
    own_colours: Catalog,
    inputs: Inputs,
    always: Callable[..., Reference],
    relabel: Callable[..., Reference],
    always_red: Reference,
) -> None:
    manifest, labels, splits = inputs
    crown(own_colours, always_red)
    everyone = own_colours.open(labels).table("labels")["image_id"].to_pylist()
    labels = relabel(own_colours, labels, dict.fromkeys(everyone[::2], "pink"))
    new = always(own_colours, "pink", ("blue", "green", "pink", "red"))
    champion, answer = consider(own_colours, "colours", new, manifest, labels, splits, "run 2")
    assert answer.decision == "ask"
    assert champion == always_red


def test_two_data_sets_with_the_same_content_each_have_their_champion(
    own_colours: Catalog, inputs: Inputs, good: Reference
) -> None:
    for dataset in ("colours", "copy-of-colours"):
        consider(own_colours, dataset, good, *inputs, "run 1")
        assert champion_of(own_colours, dataset) == good.version


def test_a_champion_can_be_challenged_after_files_have_moved(
    own_colours: Catalog,
    inputs: Inputs,
    landing: Path,
    take_in: Take,
    good: Reference,
    always_red: Reference,
    tmp_path: Path,
) -> None:
    """Images keep their identity when they move, but not the source that slices are made of."""
    folder = shutil.copytree(landing, tmp_path / "moved")
    splits = judged_on(own_colours, inputs[2], lambda image: True)
    crown(own_colours, good)
    evaluate(own_colours, good, *inputs[:2], splits)
    for path in sorted(folder.glob("*/*.png")):
        path.parent.joinpath("cellar").mkdir(exist_ok=True)
        path.rename(path.parent / "cellar" / path.name)
    manifest, labels, _ = take_in(own_colours, folder)
    champion, answer = consider(own_colours, "colours", always_red, manifest, labels, splits, "run 2")
    assert (champion, answer.decision) == (good, "keep")
    assert "cellar" in [part["part"] for part in answer.worse_slices]


def test_comparing_models_has_no_consequences(
    own_colours: Catalog, good: Reference, always_red: Reference
) -> None:
    for model in (good, always_red):
        register(own_colours.database, "colours", model)
    old, new = (find_model(own_colours.database, model.version) for model in (good, always_red))
    (before, after), answer = compare_models(own_colours, old, new)
    assert (before.facts["model"], after.facts["model"]) == (good.version, always_red.version)
    assert answer.decision == "keep"
    assert ledger(own_colours.database, "colours") == ledger(own_colours.database, "colours", "challenger") == []


def test_models_of_a_data_set_without_splits_cannot_be_compared(own_colours: Catalog, good: Reference) -> None:
    register(own_colours.database, "empty", good)
    model = find_model(own_colours.database, good.version)
    with pytest.raises(InputError, match="has no image_manifest yet"):
        compare_models(own_colours, model, model)
