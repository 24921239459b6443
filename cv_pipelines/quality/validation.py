"""Rules applied to tables, by Great Expectations."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InternalError
from cv_pipelines.quality.results import CheckResult
from cv_pipelines.quality.rule import Rule
from cv_pipelines.quality.rules import RULES
from cv_pipelines.quality.tables import TABLES
from cv_pipelines.storage.bundles import put_bundle

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

_NAMED, _LONGEST = 3, 120
"""Rows that a message names, and letters of each of their values."""
_ID_DIGITS = 12


def check_asset(catalog: Catalog, asset: str, dataset: str) -> list[CheckResult]:
    """Check what an asset's partition stands for, and keep the results in the catalog."""
    results = validate(TABLES[asset](catalog, dataset), RULES[asset])
    subject = catalog.require(asset, dataset)
    facts = {"asset": asset, "results": [asdict(result) for result in results]}
    reference = put_bundle(catalog.store, "checks", subject.version, facts, {})
    catalog.publish(f"{asset}/checks", dataset, reference)
    return results


def validate(tables: Mapping[str, pd.DataFrame], rules: Sequence[Rule]) -> list[CheckResult]:
    """Apply rules to tables, each table in one go; results come in the order of the rules."""
    found: dict[str, CheckResult] = {}
    for name in dict.fromkeys(rule.table for rule in rules):
        about = [rule for rule in rules if rule.table == name]
        results = _run(tables[name], about)
        found |= {rule.name: _result(rule, result) for rule, result in zip(about, results, strict=True)}
    return [found[rule.name] for rule in rules]


def _run(table: pd.DataFrame, rules: Sequence[Rule]) -> "list[ExpectationValidationResult]":
    """Great Expectations' own results, in the order of the rules."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    expectations = [getattr(gx.expectations, rule.expectation)(**rule.arguments) for rule in rules]
    columns = {column for rule in rules for column in (*rule.identity, rule.total) if column in table.columns}
    result_format = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": max(rule.shown for rule in rules),
        "unexpected_index_column_names": sorted(columns),
    }
    return [batch.validate(expectation, result_format=result_format) for expectation in expectations]


def _result(rule: Rule, result: "ExpectationValidationResult") -> CheckResult:
    if _raised(result.exception_info):
        message = f"The check '{rule.name}' could not be run. Please report it."
        raise InternalError("check", message, str(result.exception_info))
    if result.success:
        return CheckResult(rule.name, True, rule.blocking, rule.promise, 0, [])
    found = result.result.get("partial_unexpected_index_list") or []
    rows = [
        {column: _plain(row[column]) for column in rule.identity if column in row} for row in found[: rule.shown]
    ]
    failing = int(found[0][rule.total] if rule.total else result.result.get("unexpected_count", 1))
    message = f"Expected: {rule.promise} {rule.advice}{_named(rows, failing)}"
    return CheckResult(rule.name, False, rule.blocking, message, failing, rows)


def _named(rows: Sequence[Mapping[str, Any]], failing: int) -> str:
    """The first rows that fail, in words: a terminal shows no table."""
    if not rows:
        return ""
    first = dict.fromkeys(", ".join(_in_words(*one) for one in row.items()) for row in rows[:_NAMED])
    more = f"; and {failing - _NAMED:,} more" if failing > _NAMED else ""
    return f" Found: {'; '.join(first)}{more}."


def _in_words(column: str, value: object) -> str:
    text = _digits(value) if isinstance(value, float) else str(value)
    if column == "image_id":
        text = text[:_ID_DIGITS]
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    shown = f"'{short}'" if isinstance(value, str) else short
    return f"{column.replace('_', ' ')} {shown}"


def _digits(value: float) -> str:
    """A number as a person would write it: 0.4444, 1234.5."""
    return np.format_float_positional(value, precision=4, fractional=abs(value) >= 1, trim="0")


def _raised(info: Mapping[str, Any]) -> bool:
    """Say whether an expectation could not be evaluated; the details stand at the top or by metric."""
    nested = [value for value in info.values() if isinstance(value, Mapping)]
    return any(one.get("raised_exception") for one in (info, *nested))


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    return value.item() if isinstance(value, np.generic) else value
