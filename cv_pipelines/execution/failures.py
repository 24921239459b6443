"""From our errors to what Dagster does about them: one owner per retry."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Backoff, Failure, Jitter, MetadataValue, RetryPolicy, RetryRequested

from cv_pipelines.errors import CvError, InternalError

STEP_RETRIES = RetryPolicy(max_retries=2, delay=2, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
"""For `resource` and `infrastructure`, the only sources that a repetition can help."""


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn errors into failures that say who has to act, and are retried only where that can help."""
    try:
        yield
    except (Failure, RetryRequested):
        raise
    except CvError as error:
        raise _mapped(error) from error
    except Exception as error:
        internal = InternalError("unexpected", f"A fault in the platform: {error!r}. Please report it.")
        raise _mapped(internal) from error


def _mapped(error: CvError) -> Failure | RetryRequested:
    failure = Failure(
        error.user_message,
        metadata={
            "source": MetadataValue.text(error.source),
            "code": MetadataValue.text(error.code),
            "detail": MetadataValue.text(error.detail),
        },
        allow_retries=error.source in ("resource", "infrastructure"),
    )
    if error.source != "internal":
        return failure
    request = RetryRequested(max_retries=1)
    request.__cause__ = failure
    return request
