from typing import Any

import pytest

from cv_pipelines.execution import progress


class Log:
    """What a step would log."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.log = self

    def info(self, line: str) -> None:
        self.lines.append(line)


def test_the_rate_is_that_of_this_step_and_not_of_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("cv_pipelines.execution.progress.time.monotonic", lambda: now)
    step: Any = Log()
    listen = progress.log_progress(step)

    for now, done in ((0.0, 7000), (1.0, 7100), (10.0, 8000)):  # noqa: B007 - the clock reads it
        listen("analysing frames", done, 9000)

    assert step.lines == ["analysing frames: 8,000 of 9,000, 100.0/s"]
