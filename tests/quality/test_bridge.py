from typing import Any

import pytest
from dagster import AssetCheckSeverity, AssetKey, DynamicPartitionsDefinition, TableMetadataValue

from cv_pipelines.quality.bridge import asset_check_result, check_specs
from cv_pipelines.quality.results import CheckResult
from cv_pipelines.quality.rules import RULES

PARTITIONS = DynamicPartitionsDefinition(name="anything")


@pytest.mark.parametrize("asset", RULES)
def test_every_rule_is_a_check_of_its_asset_that_blocks_only_where_the_rule_does(asset: str) -> None:
    specs = check_specs(asset, PARTITIONS)
    found = [(spec.asset_key, spec.name, spec.description, spec.blocking) for spec in specs]
    assert found == [(AssetKey(asset), rule.name, rule.promise, rule.blocking) for rule in RULES[asset]]
    assert all(spec.partitions_def == PARTITIONS for spec in specs)


def result(passed: bool = False, blocking: bool = True, rows: list[dict[str, Any]] | None = None) -> CheckResult:
    return CheckResult("formats", passed, blocking, "Not so.", 3, rows or [])


@pytest.mark.parametrize(
    ("blocking", "severity"), [(True, AssetCheckSeverity.ERROR), (False, AssetCheckSeverity.WARN)]
)
@pytest.mark.parametrize("passed", [True, False])
def test_only_what_blocks_is_an_error(passed: bool, blocking: bool, severity: AssetCheckSeverity) -> None:
    found = asset_check_result("image_manifest", result(passed, blocking))
    assert (found.asset_key, found.check_name) == (AssetKey("image_manifest"), "formats")
    assert (found.passed, found.severity, found.description) == (passed, severity, "Not so.")


def test_failing_rows_are_a_table_that_people_can_read() -> None:
    rows: list[dict[str, Any]] = [
        {"image_id": "i1", "images": 3, "share": 0.5},
        {"image_id": None, "images": 0, "share": [1]},
    ]
    metadata = asset_check_result("image_manifest", result(rows=rows)).metadata
    assert metadata["failing"].value == 3
    table = metadata["failing rows"]
    assert isinstance(table, TableMetadataValue)
    records = [dict(record.data) for record in table.records]
    assert records == [rows[0], {"image_id": "None", "images": 0, "share": "[1]"}]


def test_without_rows_there_is_no_empty_table() -> None:
    metadata = asset_check_result("labels", result()).metadata
    assert set(metadata) == {"failing"}
