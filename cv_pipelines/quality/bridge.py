"""From rules and their results to Dagster's asset checks."""

import warnings

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    PartitionsDefinition,
    TableRecord,
)
from dagster._utils.warnings import PreviewWarning

from cv_pipelines.quality.results import CheckResult
from cv_pipelines.quality.rules import RULES


def check_specs(asset: str, partitions: PartitionsDefinition[str]) -> list[AssetCheckSpec]:
    """The checks of one asset; a blocking one that fails stops what is downstream."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)  # partitions of checks
        return [
            AssetCheckSpec(
                rule.name,
                asset=asset,
                description=rule.promise,
                blocking=rule.blocking,
                partitions_def=partitions,
            )
            for rule in RULES[asset]
        ]


def asset_check_result(asset: str, result: CheckResult) -> AssetCheckResult:
    """A result as the UI shows it, with the rows that fail."""
    metadata: dict[str, MetadataValue] = {"failing": MetadataValue.int(result.failing)}
    if result.rows:
        records = [TableRecord({name: _cell(value) for name, value in row.items()}) for row in result.rows]
        metadata["failing rows"] = MetadataValue.table(records)
    return AssetCheckResult(
        passed=result.passed,
        asset_key=asset,
        check_name=result.name,
        severity=AssetCheckSeverity.ERROR if result.blocking else AssetCheckSeverity.WARN,
        description=result.message,
        metadata=metadata,
    )


def _cell(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)
