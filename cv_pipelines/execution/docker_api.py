"""The Docker daemon that DOCKER_HOST leads to, and what goes wrong with it in words."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from cv_pipelines.execution.engine import EngineRefusedError, EngineUnreachableError

_CALL_SECONDS = 10.0
_FINAL_WORDS = ("not found", "could not be found", "invalid", "not a swarm manager", "is not part of a swarm")
"""In errors that will be the same the next time; Swarm sends some of them as 500, which can also pass."""


def open_api(seconds: float = _CALL_SECONDS) -> docker.APIClient:
    """A client of the daemon; no call takes longer than some seconds."""
    return docker.APIClient(version="auto", timeout=seconds, **docker.utils.kwargs_from_env())


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Say of Docker's errors whether it is worth while to ask again.

    Raises:
        EngineRefusedError: Docker does not want it, and will not.
        EngineUnreachableError: Docker does not answer, or only with an error of its own.
    """
    try:
        yield
    except APIError as error:
        words = str(error.explanation or error)
        if error.status_code < 500 or any(each in words.lower() for each in _FINAL_WORDS):
            raise EngineRefusedError("engine_refused", f"Docker does not {what}: {words}") from error
        raise EngineUnreachableError("engine", f"Docker could not {what}: {words}") from error
    except (DockerException, RequestException, OSError) as error:
        raise EngineUnreachableError("engine", _in_words(what, error), str(error)) from error


def _in_words(what: str, error: Exception) -> str:
    if "Permission denied" in str(error):
        return f"Docker does not let this user in (could not {what}): be root, or in the group docker."
    if "timed out" in str(error).lower():
        return f"Docker did not answer in time (could not {what}): is its machine very busy, or its network away?"
    return f"Docker does not answer (could not {what}): is DOCKER_HOST right, and its daemon running?"
