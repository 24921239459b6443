"""Docker's errors in words, and whether it is worth while to ask again."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import APIError, DockerException
from requests.exceptions import ReadTimeout

from cv_pipelines.execution.docker_api import explained, open_api
from cv_pipelines.execution.engine import EngineRefusedError, EngineUnreachableError


def answer(status: int, words: str) -> APIError:
    response = SimpleNamespace(status_code=status, reason="", url="")
    return APIError(words, response=response, explanation=words)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (answer(404, "no such node"), EngineRefusedError, "Docker does not drain w1: no such node"),
        (answer(500, "network x not found"), EngineRefusedError, "network x not found"),
        (answer(500, "rpc error: deadline"), EngineUnreachableError, "Docker could not drain w1: rpc error"),
        (answer(503, "This node is not a swarm manager."), EngineRefusedError, "not a swarm manager"),
        (ReadTimeout("Read timed out. (read timeout=10)"), EngineUnreachableError, "did not answer in time"),
        (
            DockerException("PermissionError(13, 'Permission denied')"),
            EngineUnreachableError,
            "in the group docker",
        ),
        (FileNotFoundError(2, "No such file"), EngineUnreachableError, "is DOCKER_HOST right"),
    ],
)
def test_errors_say_what_was_wanted_and_what_to_do(error: Exception, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as caught, explained("drain w1"):
        raise error

    assert "drain w1" in str(caught.value)


def test_nobody_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(EngineUnreachableError, match="is DOCKER_HOST right"), explained("list nodes"):
        open_api().nodes()
