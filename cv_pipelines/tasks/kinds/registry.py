"""All kinds of tasks. A new one is a module beside this one, and a line here."""

from cv_pipelines.errors import InputError
from cv_pipelines.tasks.fields import legible
from cv_pipelines.tasks.kinds import (
    analyse_motion,
    classify_images,
    fail,
    ingest_dataset,
    predict_dataset,
    sleep,
    train_model,
)
from cv_pipelines.tasks.kinds.protocol import TaskKind

KINDS: tuple[TaskKind, ...] = (
    classify_images.KIND,
    ingest_dataset.KIND,
    train_model.KIND,
    predict_dataset.KIND,
    analyse_motion.KIND,
    sleep.KIND,
    fail.KIND,
)
_BY_NAME = {kind.name: kind for kind in KINDS}


def is_kind(name: str) -> bool:
    """Say whether there is a kind of this name."""
    return name in _BY_NAME


def kind_of(name: str) -> TaskKind:
    """Look a kind up.

    Raises:
        InputError: there is none of this name.
    """
    kind = _BY_NAME.get(name)
    if kind is None:
        known = ", ".join(_BY_NAME)
        raise InputError("unknown_kind", f"There is no kind of task '{legible(name, 100)}'; there are: {known}.")
    return kind
