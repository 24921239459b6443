"""A training as the page and its JSON show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cv_pipelines.catalog import Catalog
from cv_pipelines.execution.run_progress import Curve, Standing, standings
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.tasks.ledger.claims import MOST_RUNS
from cv_pipelines.tasks.ledger.ledger import AnyRow, Ledger
from cv_pipelines.tasks.states import FINAL
from cv_pipelines.web.training.outcome import Outcome, outcome_of
from cv_pipelines.web.training.runs import log_of
from cv_pipelines.web.training.tasks import place_in_queue

_PICKED_UP = 20.0
"""Seconds within which a daemon has taken a task that waits; it looks every five to ten."""
_STARTED = 90.0
"""Seconds within which a run that was asked for has started, where nothing holds it up."""
_HEARD = 60.0
_DEFAULT = TrainingParameters.model_fields["architecture"].default
_NO_DAEMON = "Nothing picks it up: is 'cv-pipelines dev' running?"
_STEPS = {"trained_model": "train", "model_evaluation": "evaluate", "champion_model": "compare"}


@dataclass(frozen=True)
class Stage:
    """What a step of the run does: `done` of `total` items, where that is known."""

    step: str
    stage: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Summary:
    """A training in a list.

    Attributes:
        task_id: of its task.
        state: of the task; also `cancelling`.
        by: who has started it.
        name: the model is to be called so; empty: it gets none.
        parameters: that were set.
        created_at: when it was handed in.
        seconds: since then, to its end where it has ended.
        accuracy: on the test images; None: not known.
    """

    task_id: str
    state: str
    by: str
    name: str
    parameters: dict[str, Any]
    created_at: datetime
    seconds: float
    accuracy: float | None

    @property
    def title(self) -> str:
        """What people know it by: the name of the model, else its architecture."""
        return self.name or str(self.parameters.get("architecture", _DEFAULT))

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL


@dataclass(frozen=True)
class Training(Summary):
    """A training with all that is to be seen of it.

    Attributes:
        position: in the queue, from 1; None: it does not wait there.
        note: what it waits for, where it waits.
        stages: of the steps that have begun, in that order.
        curve: of the epochs so far.
        run: address of its run in the Dagster UI; None: there is none yet.
        error: why it has failed, or is tried again.
        log: the last lines of a run that has failed.
        outcome: what has become of it.
    """

    position: int | None
    note: str
    stages: list[Stage]
    curve: Curve
    run: str | None
    error: str | None
    log: list[str]
    outcome: Outcome | None


def summary_of(row: AnyRow) -> Summary:
    """What a row of the ledger says."""
    return Summary(**_summary(row, row.state))


def training_of(ledger: Ledger, catalog: Catalog, row: AnyRow, ui_url: str) -> Training:
    """All that is to be seen of a training; what it has come to is read from the store when it is over."""
    steps = standings(ledger.database, row.attempt) if row.attempt is not None else []
    state = "running" if row.state == "queued" and steps else row.state  # the ledger hears of it seconds later
    over = state in FINAL
    run_id = steps[0].run_id if steps else row.run_id
    outcome = outcome_of(catalog, row.params["dataset"], run_id, _facts(row)) if over else None
    curves = [step.curve for step in steps if step.curve]
    return Training(
        **_summary(row, state),
        position=place_in_queue(ledger, row) if state == "queued" and row.attempt is None else None,
        note="" if over else _note(row, state),
        stages=[_stage(step) for step in steps],
        curve=outcome.curve if outcome else (curves[-1] if curves else []),
        run=f"{ui_url.rstrip('/')}/runs/{run_id}" if run_id else None,
        error=row.error["message"] if row.error and state != "cancelled" else None,
        log=log_of(run_id) if state == "failed" and run_id else [],
        outcome=outcome,
    )


def _summary(row: AnyRow, state: str) -> dict[str, Any]:
    ended = float(row.ended) if row.ended is not None else 0.0
    return {
        "task_id": row.id,
        "state": "cancelling" if row.cancel and state not in FINAL else state,
        "by": row.submitted_by,
        "name": row.params.get("name") or "",
        "parameters": row.params.get("parameters") or {},
        "created_at": row.created_at,
        "seconds": max(0.0, round(float(row.age) - ended, 1)),
        "accuracy": _facts(row).get("model_evaluation", {}).get("accuracy"),
    }


def _facts(row: AnyRow) -> Mapping[str, Mapping[str, Any]]:
    made = (row.result or {}).get("materializations", [])
    return {one["asset"]: one["facts"] for one in made}


def _stage(step: Standing) -> Stage:
    return Stage(_STEPS.get(step.step, step.step), step.stage, step.done, step.total)


def _note(row: AnyRow, state: str) -> str:
    """What a training waits for, as far as the ledger can tell."""
    if state == "running":
        return _NO_DAEMON.replace("picks it up", "looks after it") if (row.heard or 0) > _HEARD else ""
    if row.attempt is None:
        if row.waited < 0:
            return "It is tried again in a moment."
        return _NO_DAEMON if row.waited > _PICKED_UP and row.others < MOST_RUNS else "It waits to be picked up."
    if row.claimed < _STARTED:
        return "Its run is being started."
    return "Its run waits: for another run of this data set to end, or for a daemon. " + _NO_DAEMON
