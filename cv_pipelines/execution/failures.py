"""From our errors to what Dagster does about them: one owner per retry."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from dagster import Backoff, Failure, Jitter, MetadataValue, RetryPolicy, RetryRequested
from dagster._core.errors import DagsterExecutionInterruptedError
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from cv_pipelines.errors import CvError, InfrastructureError, InputError, InternalError, problems_of

STEP_RETRIES = RetryPolicy(max_retries=2, delay=2, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
"""For `resource` and `infrastructure`, the only sources that a repetition can help."""


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn errors into failures that say who has to act, and are retried only where that can help."""
    try:
        yield
    except (Failure, RetryRequested):
        raise
    except (DagsterExecutionInterruptedError, KeyboardInterrupt):
        # with a retry policy Dagster would try a cancelled step again, and the run would never stop
        raise Failure("Cancelled.", allow_retries=False) from None
    except CvError as error:
        _fail(error)
    except OperationalError as error:
        _fail(InfrastructureError("database", "The database does not answer.", str(error)))
    except ValidationError as error:
        _fail(InputError("parameters", f"Parameters: {problems_of(error)}."))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told and recorded
        _fail(InternalError("unexpected", f"A fault in the platform: {error!r}. Please report it."))


def _fail(error: CvError) -> NoReturn:
    """Raise what Dagster understands; the error being handled stays in its chain of causes.

    Not that of somebody else's mistake: where it was found in our code would only hide what it says.
    """
    failure = Failure(
        error.user_message,
        metadata={
            "source": MetadataValue.text(error.source),
            "code": MetadataValue.text(error.code),
            "detail": MetadataValue.text(error.detail),
        },
        allow_retries=error.source in ("resource", "infrastructure"),
    )
    if error.source in ("input", "submission"):
        raise failure from None
    failure.__cause__ = sys.exc_info()[1]
    if error.source == "internal":
        raise RetryRequested(max_retries=1) from failure
    raise failure from failure.__cause__
