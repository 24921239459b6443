"""What every asset returns, in one shape."""

import base64
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from dagster import BetaWarning, DataVersion, MaterializeResult, MetadataValue, Output, RetryPolicy, TableRecord

from cv_pipelines.catalog import Outcome
from cv_pipelines.execution.failures import STEP_RETRIES
from cv_pipelines.storage.bundles import Reference

Metadata = dict[str, MetadataValue[Any]]
_MOST_ROWS = 100


class Common(TypedDict):
    """What all assets have in common."""

    retry_policy: RetryPolicy
    owners: list[str]


COMMON = Common(retry_policy=STEP_RETRIES, owners=["team:computer-vision"])


def materialized(outcome: Outcome, metadata: Mapping[str, MetadataValue[Any]]) -> MaterializeResult[Reference]:
    """An artefact as a materialization: its reference, its version, and what to look at."""
    return MaterializeResult(
        value=outcome.reference,
        data_version=DataVersion(outcome.reference.version),
        metadata={**metadata, "unchanged": MetadataValue.bool(outcome.reused)},
    )


def output_of(outcome: Outcome, metadata: Mapping[str, MetadataValue[Any]]) -> Output[Reference]:
    """The same from a step of an asset that has several, which Dagster wants as an output."""
    result = materialized(outcome, metadata)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)  # the data version of an output
        return Output(outcome.reference, metadata=result.metadata, data_version=result.data_version)


def picture(data: bytes, media_type: str = "image/png") -> MetadataValue[Any]:
    """A picture that the UI shows in place."""
    return MetadataValue.md(f"![preview](data:{media_type};base64,{base64.b64encode(data).decode()})")


def numbers(facts: Mapping[str, Any]) -> Metadata:
    """The facts that are numbers: the UI plots them over time."""
    return {
        name: MetadataValue.int(value) if isinstance(value, int) else MetadataValue.float(value)
        for name, value in facts.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def table(rows: Sequence[dict[str, Any]]) -> MetadataValue[Any]:
    """The first rows of a table, or a word where there is none."""
    records = [TableRecord(row) for row in rows[:_MOST_ROWS]]
    return MetadataValue.table(records) if records else MetadataValue.text("empty")
