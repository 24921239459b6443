"""What makes a kind of task: its parameters, its result, and the Dagster job that does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cv_pipelines.hashing import hash_values


class Params(BaseModel):
    """What a caller says about a task of some kind: nothing unknown, nothing converted, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Result(BaseModel):
    """What a caller gets of a task that has succeeded."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Made = dict[str, Any]
"""An asset that a run has materialized: `asset`, `version`, and `facts`, which are numbers and short texts."""


def of_dataset(partition: str, made: list[Made]) -> dict[str, Any]:
    """What a run about a data set comes to."""
    return {"dataset": partition, "materializations": made}


@dataclass(frozen=True)
class TaskKind:
    """One kind of task.

    Attributes:
        name: as messages call it.
        description: one sentence, shown in the schemas.
        params: model of its parameters.
        result: model of its result.
        job: name of the Dagster job.
        together: parameters that tasks in one run have in common; None: no two tasks share a run, and
            the job is an asset job with partitions.
        partition: what these are, and the parameter that names one; only without `together`.
        outcome: the result of a task, of its partition and what was materialized; only without `together`.
        most: work in a run at most: the sum of the sizes of its tasks, unless one alone is larger.
        size: of a task with these parameters, 1 or more; images, where it is about images.
        settings: what to set about steps of the job, by their names; only without `together`.
    """

    name: str
    description: str
    params: type[Params]
    result: type[Result]
    job: str
    together: Callable[[Params], dict[str, object]] | None = None
    partition: Literal["dataset", "video"] = "dataset"
    outcome: Callable[[str, list[Made]], dict[str, Any]] = of_dataset
    most: int = 1
    size: Callable[[Any], int] = lambda _: 1
    settings: Callable[[Any], Mapping[str, Mapping[str, Any]]] | None = None

    def batch_key(self, task_id: str, params: Params) -> str:
        """Tasks of one kind with the same key may share a run."""
        shared = self.together(params) if self.together else {"task": task_id}
        return hash_values(shared)[:32]
