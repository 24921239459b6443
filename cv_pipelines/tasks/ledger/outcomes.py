"""What becomes of a task that somebody has worked on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError
from cv_pipelines.tasks.problem import TaskError


@dataclass(frozen=True)
class Done:
    """A task that has succeeded, with its result as JSON."""

    result: Mapping[str, Any]


Outcome = Done | TaskError


def error_of(error: Exception) -> TaskError:
    """What to tell of an exception; one that is not ours is a fault in the platform."""
    if isinstance(error, CvError):
        return TaskError(source=error.source, code=error.code, message=error.user_message)
    if is_outage(error):
        return TaskError(source="infrastructure", code="database", message="The database did not answer.")
    message = f"A fault in the platform: {type(error).__name__}. Please report it."
    return TaskError(source="internal", code="unexpected", message=message)
