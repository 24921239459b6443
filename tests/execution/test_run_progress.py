"""Where steps stand, as pages read it."""

from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text, update

from cv_pipelines.database.clock import ago
from cv_pipelines.database.engine import open_database
from cv_pipelines.database.training_tables import run_progress as table
from cv_pipelines.execution import run_progress
from cv_pipelines.execution.run_progress import ProgressWriter, Standing, curve_of, forget_progress, standings
from tests.servers import on_both_databases


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(run_progress, "time", clock)
    return clock


def writer(
    database: Engine, run: str = "r", step: str = "trained_model", attempt: int | None = 7
) -> ProgressWriter:
    return ProgressWriter(database, run, step, attempt, warn=pytest.fail)


def shown(database: Engine) -> list[tuple[str, int, int | None]]:
    return [(one.stage, one.done, one.total) for one in standings(database, 7)]


@on_both_databases
def test_a_step_is_seen_from_its_start_and_then_once_a_second(database: Engine, clock: Clock) -> None:
    tell = writer(database)
    assert shown(database) == [("starting", 0, None)]

    tell("decoding images", 1, 90)
    assert shown(database) == [("decoding images", 1, 90)], "a new stage is seen at once"
    tell("decoding images", 2, 90)
    clock.now += 0.99
    tell("decoding images", 3, 90)
    assert shown(database) == [("decoding images", 1, 90)]
    clock.now += 0.02
    tell("decoding images", 4, 90)
    assert shown(database) == [("decoding images", 4, 90)]


@on_both_databases
def test_figures_of_epochs_stay_with_their_step(database: Engine, clock: Clock) -> None:
    tell = writer(database)
    writer(database, step="model_evaluation")
    history = [{"loss": 0.123456789, "val_loss": float("nan")}]
    tell("training epochs", 1, 5)
    tell.epochs(history)
    tell.epochs([*history, {"loss": 0.1, "val_loss": 0.2}])
    clock.now += 1
    tell("training epochs", 2, 5)

    first = {"epoch": 1, "loss": 0.123457, "val_loss": None}
    assert standings(database, 7) == [
        Standing("r", "trained_model", "training epochs", 2, 5, [first]),
        Standing("r", "model_evaluation", "starting", 0, None, None),
    ]
    tell.epochs([*history, {"loss": 0.2, "val_loss": 0.3}])
    assert len(standings(database, 7)[0].curve or []) == 2, "however often progress is told"
    tell.epochs([*history, {"loss": 0.1, "val_loss": 0.2}], final=True)
    assert standings(database, 7)[0].curve == [first, {"epoch": 2, "loss": 0.1, "val_loss": 0.2}]


@on_both_databases
def test_of_two_runs_of_an_attempt_the_newer_one_is_seen(database: Engine) -> None:
    writer(database, "a")
    writer(database, "b")
    writer(database, "c", attempt=8)
    writer(database, "d", attempt=None)

    assert [one.run_id for one in standings(database, 7)] == ["b"]
    assert standings(database, 9) == []


@on_both_databases
def test_a_step_that_is_tried_again_starts_anew(database: Engine) -> None:
    writer(database)("training epochs", 3, 5)
    writer(database)

    assert shown(database) == [("starting", 0, None)]


def test_a_database_that_is_away_hampers_no_step_and_is_told_once(database: Engine, clock: Clock) -> None:
    told: list[str] = []
    tell = ProgressWriter(database, "r", "s", 7, told.append)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE run_progress RENAME TO away"))
    for stage in ("a", "b"):
        clock.now += run_progress.EVERY
        tell(stage, 1)
        tell.epochs([{"loss": 1.0}])
    assert len(told) == 1
    assert "Pages do not see where this step stands; it goes on" in told[0]

    with database.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO run_progress"))
    clock.now += run_progress.PAUSE
    tell("c", 3)
    assert shown(database) == [("c", 3, None)]


@on_both_databases
def test_what_is_old_is_forgotten(database: Engine) -> None:
    writer(database, "old", attempt=1)
    writer(database)
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.run_id == "old").values(updated_at=ago(31 * 86400.0)))

    assert forget_progress(database, 30) == 1
    assert (len(standings(database, 1)), len(standings(database, 7))) == (0, 1)


@given(st.integers(0, 3000), st.integers(1, 500))
def test_a_long_history_is_shown_from_its_first_to_its_last_epoch_in_few_points(epochs: int, most: int) -> None:
    curve = curve_of([{"loss": float(number)} for number in range(1, epochs + 1)], most)

    numbers = cast(list[float], [point["epoch"] for point in curve])
    assert numbers == sorted({*numbers})
    assert len(numbers) <= most + 1
    assert (numbers[0], numbers[-1]) == (1, epochs) if epochs else numbers == []
    assert all(point["loss"] == point["epoch"] for point in curve)
