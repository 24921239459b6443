import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import InputError
from cv_pipelines.models.registry import (
    Model,
    find_model,
    ledger,
    list_models,
    promote,
    register,
    rollback,
    standing,
)
from cv_pipelines.storage.bundles import Reference
from tests.servers import on_both_databases


def entered(database: Engine, version: str, dataset: str = "birds") -> Model:
    register(database, dataset, Reference("trained_model", version, f"bundles/{version}.json"))
    return find_model(database, version)


def crown(database: Engine, model: Model, why: str = "better") -> str | None:
    return promote(database, model, "champion", "ann", why, {"accuracy": 0.5})


def test_a_registered_model_is_found_with_its_reference(database: Engine) -> None:
    model = entered(database, "abc123")
    assert model.dataset == "birds"
    assert model.reference == Reference("trained_model", "abc123", "bundles/abc123.json")
    assert model.created_at.tzinfo is not None


@on_both_databases
def test_registering_twice_changes_nothing(database: Engine) -> None:
    assert entered(database, "abc") == entered(database, "abc")
    assert len(list_models(database)) == 1


@on_both_databases
def test_models_are_listed_newest_first_and_by_data_set(database: Engine) -> None:
    for version, dataset in (("m1", "birds"), ("m2", "cats"), ("m3", "birds")):
        entered(database, version, dataset)
    times = [model.created_at for model in list_models(database)]
    assert times == sorted(times, reverse=True)
    assert {model.version for model in list_models(database)} == {"m1", "m2", "m3"}
    assert {model.version for model in list_models(database, "birds")} == {"m1", "m3"}


def test_the_start_of_a_version_is_enough(database: Engine) -> None:
    entered(database, "abc111")
    entered(database, "abd222")
    assert find_model(database, "abd").version == "abd222"


@on_both_databases
@pytest.mark.parametrize(
    ("asked", "message"),
    [("ab", "Several models have"), ("x", "No model has"), ("%", "No model"), ("a_c", "No model")],
)
def test_an_ambiguous_or_unknown_version_is_the_callers_mistake(
    database: Engine, asked: str, message: str
) -> None:
    entered(database, "abc111")
    entered(database, "abd222")
    with pytest.raises(InputError, match=message) as caught:
        find_model(database, asked)
    assert caught.value.code == "no_model"


def test_an_alias_stands_for_nothing_at_first(database: Engine) -> None:
    assert standing(database, "birds", "champion") is None
    assert ledger(database, "birds") == []


@on_both_databases
def test_the_ledger_says_who_when_why_and_with_which_figures(database: Engine) -> None:
    first, second = entered(database, "m1"), entered(database, "m2")
    assert crown(database, first, "first") is None
    assert crown(database, second, "clearly better") == "m1"
    assert standing(database, "birds", "champion") == "m2"
    newest, oldest = ledger(database, "birds")
    assert (newest.model, newest.previous, newest.action) == ("m2", "m1", "promote")
    assert (newest.who, newest.why, newest.metrics) == ("ann", "clearly better", {"accuracy": 0.5})
    assert (oldest.model, oldest.previous) == ("m1", None)
    assert oldest.created_at <= newest.created_at
    assert oldest.id < newest.id


def test_promoting_the_champion_again_writes_nothing(database: Engine) -> None:
    model = entered(database, "m1")
    crown(database, model)
    before = ledger(database, "birds")
    assert crown(database, model, "again") == "m1"
    assert ledger(database, "birds") == before


@on_both_databases
def test_promotions_at_once_take_turns(database: Engine) -> None:
    models = [entered(database, f"m{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda model: crown(database, model), models))

    oldest_first = ledger(database, "birds")[::-1]
    assert {entry.model for entry in oldest_first} == {model.version for model in models}
    assert [entry.previous for entry in oldest_first] == [None, *(entry.model for entry in oldest_first[:-1])]


def test_aliases_and_data_sets_do_not_touch_each_other(database: Engine) -> None:
    birds, cats = entered(database, "b1"), entered(database, "c1", "cats")
    crown(database, birds)
    promote(database, cats, "challenger", "ann", "close", {}, action="challenge")
    assert standing(database, "birds", "challenger") is None
    assert standing(database, "cats", "champion") is None
    assert standing(database, "cats", "challenger") == "c1"
    assert [entry.action for entry in ledger(database, "cats", "challenger")] == ["challenge"]


@on_both_databases
def test_rolling_back_twice_goes_back_two_champions(database: Engine) -> None:
    for version in ("m1", "m2", "m3"):
        crown(database, entered(database, version))
    assert rollback(database, "birds", "bob", "too slow").version == "m2"
    assert rollback(database, "birds", "bob", "still").version == "m1"
    assert standing(database, "birds", "champion") == "m1"
    entries = [(entry.action, entry.model, entry.previous) for entry in ledger(database, "birds")]
    assert entries[:2] == [("rollback", "m1", "m2"), ("rollback", "m2", "m3")]
    assert len(entries) == 5


def test_a_promotion_after_a_rollback_goes_back_to_where_that_led(database: Engine) -> None:
    models = {version: entered(database, version) for version in ("m1", "m2", "m3")}
    crown(database, models["m1"])
    crown(database, models["m2"])
    rollback(database, "birds", "bob", "bad")
    crown(database, models["m3"])
    assert rollback(database, "birds", "bob", "bad too").version == "m1"


def test_without_an_earlier_champion_there_is_nothing_to_go_back_to(database: Engine) -> None:
    crown(database, entered(database, "m1"))
    for dataset in ("birds", "nobody"):
        with pytest.raises(InputError, match="no earlier champion") as caught:
            rollback(database, dataset, "bob", "why not")
        assert caught.value.code == "no_earlier_champion"
    assert len(ledger(database, "birds")) == 1


_numbers = itertools.count()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "back", "back"]), min_size=3, max_size=10))
def test_any_promotions_and_rollbacks_work_like_a_pile(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    database = open_database(f"sqlite:///{tmp_path_factory.getbasetemp() / 'piles.sqlite'}")
    dataset = f"pile{next(_numbers)}"
    models = {name: entered(database, f"{dataset}-{name}", dataset) for name in "abc"}
    pile: list[str] = []
    for done, step in enumerate(steps, start=1):
        before = ledger(database, dataset)
        if step != "back":
            crown(database, models[step])
            pile += [step] if pile[-1:] != [step] else []
        elif len(pile) > 1:
            pile.pop()
            rollback(database, dataset, "bob", f"step {done}")
        champion = standing(database, dataset, "champion")
        assert champion == (models[pile[-1]].version if pile else None)
        after = ledger(database, dataset)
        assert after[len(after) - len(before) :] == before
