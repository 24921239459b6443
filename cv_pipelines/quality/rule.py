"""A rule: what must hold of data, as an expectation of Great Expectations.

Great Expectations takes seconds to import, so a rule names its expectation and is built when it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cv_pipelines.quality.results import MOST_ROWS

FAULT = "This is a fault in the platform; please report it."
"""The advice where nothing that anybody does could break a rule."""


@dataclass(frozen=True)
class Rule:
    """One check of an asset.

    Attributes:
        name: of the check, stable.
        promise: what holds when it passes, for people.
        advice: what to do when it does not.
        table: which of the asset's tables it looks at.
        expectation: name of a class in `great_expectations.expectations`.
        arguments: of that class.
        blocking: training on data that breaks it would be wrong.
        identity: the columns that name a failing row.
        total: a column that tells how many rows fail in all, where the table holds but the first of them.
        shown: failing rows that a result shows.
    """

    name: str
    promise: str
    advice: str
    table: str
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True
    identity: tuple[str, ...] = ("image_id",)
    total: str = ""
    shown: int = MOST_ROWS
