"""What a run shows where its output goes to a file: nobody sees a bar there."""

import io

import pytest
from rich.console import Console

from cv_pipelines.cli import steps
from cv_pipelines.cli.steps import show_steps
from cv_pipelines.orchestration.following import StepUpdate


def shown(updates: list[StepUpdate], terminal: bool = False) -> list[str]:
    """The lines that are left of a run."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    assert show_steps(updates, 2, console) == [update for update in updates if update.state == "succeeded"]
    return [line.rstrip() for line in written.getvalue().splitlines() if line.strip()]


UPDATES = [
    StepUpdate("trained_model", "started"),
    StepUpdate("trained_model", "progress", "training epochs 1 of 6"),
    StepUpdate("trained_model", "progress", "training epochs [2] of 6"),
    StepUpdate("trained_model", "succeeded", "", 61.25),
]


def test_a_step_that_takes_long_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOG_SECONDS", 0.0)
    assert shown(UPDATES) == [
        "… trained_model             training epochs 1 of 6",
        "… trained_model             training epochs [2] of 6",
        "✓ trained_model              61.2 s",
    ]


def test_steps_that_follow_each_other_quickly_are_a_line_each() -> None:
    assert shown(UPDATES) == ["✓ trained_model              61.2 s"]


def test_a_terminal_has_a_bar_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOG_SECONDS", 0.0)
    assert not [line for line in shown(UPDATES, terminal=True) if "…" in line]
