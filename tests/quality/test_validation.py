import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InternalError
from cv_pipelines.quality.results import MOST_ROWS, CheckResult
from cv_pipelines.quality.rule import Rule
from cv_pipelines.quality.validation import check_asset, validate

Pieces = dict[str, Any]


def at_most(limit: int, table: str = "numbers", identity: tuple[str, ...] = ("name",)) -> Rule:
    """A rule about the column `value` of a table."""
    arguments = {"column": "value", "max_value": limit}
    promise = f"Values are at most {limit}."
    expectation = "ExpectColumnValuesToBeBetween"
    return Rule(f"{table}_to_{limit}", promise, "Lower them.", table, expectation, arguments, identity=identity)


def numbers(count: int) -> pd.DataFrame:
    return pd.DataFrame({"value": range(count), "name": [f"n{place}" for place in range(count)]})


def test_results_come_in_the_order_of_the_rules_whatever_their_tables() -> None:
    rules = [at_most(5, "b"), at_most(5, "a"), at_most(2, "b"), at_most(2, "a")]
    found = validate({"a": numbers(5), "b": numbers(6)}, rules)
    assert [result.name for result in found] == ["b_to_5", "a_to_5", "b_to_2", "a_to_2"]
    assert [result.failing for result in found] == [0, 0, 3, 2]
    assert found[2].rows == [{"name": "n3"}, {"name": "n4"}, {"name": "n5"}]


def test_all_failing_rows_are_counted_and_the_first_are_shown() -> None:
    (found,) = validate({"numbers": numbers(50)}, [at_most(9)])
    assert found.failing == 40
    assert found.rows == [{"name": f"n{place}"} for place in range(10, 10 + MOST_ROWS)]


def test_a_message_names_the_first_of_what_fails_and_counts_the_others() -> None:
    few, many = (validate({"numbers": numbers(count)}, [at_most(9)])[0].message for count in (12, 50))
    assert few == "Expected: Values are at most 9. Lower them. Found: name 'n10'; name 'n11'."
    assert many.endswith("Found: name 'n10'; name 'n11'; name 'n12'; and 37 more.")
    long = pd.DataFrame({"value": [99], "name": ["x" * 5000], "image_id": ["ab" * 32]})
    (found,) = validate({"numbers": long}, [at_most(9, identity=("name", "image_id"))])
    assert found.message.endswith(f"Found: name '{'x' * 119}…', image id 'abababababab'.")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(4 / 9 + 10, "10.4444"), (12345.5, "12345.5"), (1234567890.0, "1234567890.0"), (float("inf"), "inf")],
)
def test_a_message_has_no_more_digits_than_are_read(value: float, shown: str) -> None:
    table = pd.DataFrame({"value": [value]})
    (found,) = validate({"numbers": table}, [at_most(9, identity=("value",))])
    assert found.message.endswith(f"Found: value {shown}.")
    assert found.rows == [{"value": value}], "tables and --json have all digits"


def test_a_share_keeps_its_first_digits() -> None:
    table = pd.DataFrame({"value": [99], "share": [0.00012345678]})
    (found,) = validate({"numbers": table}, [at_most(9, identity=("share",))])
    assert found.message.endswith("Found: share 0.0001235.")


def test_rules_of_one_table_may_name_rows_by_different_columns() -> None:
    table = numbers(3).assign(place=np.arange(3, dtype=np.int32))
    rules = [at_most(1, identity=("place", "name")), at_most(0, identity=("value",))]
    first, second = validate({"numbers": table}, rules)
    assert first.rows == [{"place": 2, "name": "n2"}]
    assert second.rows == [{"value": 1}, {"value": 2}]
    assert json.loads(json.dumps([asdict(first), asdict(second)]))[0]["rows"] == first.rows


def test_names_in_any_script_come_back_as_they_are() -> None:
    table = pd.DataFrame({"value": [9, 9], "name": ["Ω & <b>'\"", "猫 $x$ %s {0}"]})
    (found,) = validate({"numbers": table}, [at_most(5)])
    assert found.rows == [{"name": "Ω & <b>'\""}, {"name": "猫 $x$ %s {0}"}]


def test_a_rule_that_cannot_be_run_is_our_mistake_and_no_passed_check() -> None:
    with pytest.raises(InternalError, match="'numbers_to_1' could not be run") as caught:
        validate({"numbers": pd.DataFrame({"other": [1]})}, [at_most(1)])
    assert caught.value.code == "check"
    assert "value" in caught.value.detail


def test_results_are_kept_in_the_catalog_under_the_version_they_are_about(
    publish: Callable[[Pieces], Catalog], pieces: Pieces
) -> None:
    pieces["images"][0]["height"] = 5
    catalog = publish(pieces)
    results = check_asset(catalog, "image_manifest", "pets")
    kept = catalog.open(catalog.require("image_manifest/checks", "pets"))
    assert (kept.kind, kept.version) == ("checks", "image_manifest-7")
    assert kept.facts["asset"] == "image_manifest"
    assert [CheckResult(**result) for result in kept.facts["results"]] == results
    assert [result.name for result in results if not result.passed] == ["dimensions"]


def test_checking_anew_takes_the_place_of_what_was_found_before(
    publish: Callable[[Pieces], Catalog], pieces: Pieces
) -> None:
    pieces["images"][0]["height"] = 5
    check_asset(publish(pieces), "image_manifest", "pets")
    pieces["images"][0]["height"] = 500
    catalog = publish(pieces)
    check_asset(catalog, "image_manifest", "pets")
    kept = catalog.open(catalog.require("image_manifest/checks", "pets")).facts["results"]
    assert all(result["passed"] for result in kept)
    assert len(catalog.history("image_manifest/checks", "pets")) == 2
