import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cv_pipelines.failpoints import POINTS, _wanted, fail_point
from cv_pipelines.settings import ROOT
from tests.installation import PATIENCE

LOOP = """
from cv_pipelines.failpoints import fail_point
for _ in range(5):
    fail_point("intake.committed")
    print("on")
"""
TYPOS = ["intake.comitted:kill", "intake.committed:explode", "intake.committed:kill@soon"]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    _wanted.cache_clear()
    yield
    _wanted.cache_clear()


def run(value: str | None) -> "subprocess.CompletedProcess[str]":
    environment: dict[str, Any] = {name: text for name, text in os.environ.items() if name != "CV_FAILPOINTS"}
    command = [sys.executable, "-u", "-c", LOOP]
    given = environment | ({} if value is None else {"CV_FAILPOINTS": value})
    return subprocess.run(
        command, env=given, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def test_nothing_happens_where_nobody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CV_FAILPOINTS", raising=False)
    for name in POINTS:
        fail_point(name)


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        ("intake.committed:kill", 0),
        ("intake.committed:kill@4", 3),
        ("claim.committed:kill,intake.committed:kill@2", 1),
    ],
)
def test_a_process_dies_at_the_point_and_time_that_are_named(value: str, passed: int) -> None:
    done = run(value)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "on\n" * passed


def test_a_process_goes_on_at_points_that_are_not_named() -> None:
    assert run("claim.committed:kill").stdout == "on\n" * 5


@pytest.mark.parametrize("value", TYPOS)
def test_a_point_that_does_not_exist_is_no_silent_success(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CV_FAILPOINTS", value)
    with pytest.raises(ValueError, match="CV_FAILPOINTS"):
        fail_point("intake.committed")
