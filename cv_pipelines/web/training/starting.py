"""Starting a training from a page: once for each form, however often that is sent."""

from collections.abc import Mapping
from uuid import uuid4

from pydantic_core import to_json
from sqlalchemy import select

from cv_pipelines.database.engine import reading
from cv_pipelines.database.task_tables import tasks
from cv_pipelines.errors import InputError
from cv_pipelines.models.architectures.factory import require_architecture
from cv_pipelines.models.names import named_version, require_model_name
from cv_pipelines.tasks.kinds.train_model import KIND
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.submission import submit
from cv_pipelines.tasks.states import UNFINISHED
from cv_pipelines.web.training.form import parameters_of

PRIORITY = 6
"""Above what programs hand in: a person waits."""


def new_task_id() -> str:
    """The id that a form carries: sent twice, it is one training."""
    return f"train-{uuid4()}"


def start_training(ledger: Ledger, dataset: str, task_id: str, given: Mapping[str, str], who: str) -> str:
    """Hand in a training; returns the id of its task.

    Args:
        ledger: where to.
        dataset: that is there.
        task_id: of the form.
        given: what was typed, by the names of fields; `name` is what the model is to be called.
        who: starts it.

    Raises:
        InputError: what was typed makes no training, or the name is taken; a form that was sent before with other
            values has code `conflict`.
    """
    parameters, name = parameters_of(given), given.get("name", "").strip()
    if "architecture" in parameters:
        require_architecture(parameters["architecture"])
    if name and not _exists(ledger, task_id):
        _require_free(ledger, dataset, name)
    params = {"dataset": dataset, "parameters": parameters} | ({"name": name} if name else {})
    message = {"schema": "cv.task/v1", "task_id": task_id, "kind": KIND.name, "params": params}
    return submit(ledger, to_json({**message, "priority": PRIORITY, "submitted_by": who})).task_id


def _exists(ledger: Ledger, task_id: str) -> bool:
    with reading(ledger.database) as connection:
        return connection.scalar(select(tasks.c.id).where(tasks.c.id == task_id)) is not None


def _require_free(ledger: Ledger, dataset: str, name: str) -> None:
    """Make sure that no model has a name, and none that is being trained is to have it."""
    require_model_name(name)
    if (version := named_version(ledger.database, dataset, name)) is not None:
        raise InputError("name_taken", f"The name '{name}' stands for model {version}: take another one.")
    query = select(tasks.c.id).where(
        tasks.c.kind == KIND.name,
        tasks.c.state.in_(UNFINISHED),
        tasks.c.params["dataset"].as_string() == dataset,
        tasks.c.params["name"].as_string() == name,
    )
    with reading(ledger.database) as connection:
        if connection.execute(query.limit(1)).first():
            message = f"A model that is being trained is to be called '{name}': take another name."
            raise InputError("name_taken", message)
