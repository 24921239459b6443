"""`task list` on a million tasks, by each of its filters; on SQLite and on Postgres."""

import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.measure import Figure, figure, seconds
from cv_pipelines.database.engine import open_database
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.queries import list_tasks
from tests.servers import run_postgres

ROWS = 1_000_000
SECONDS = 0.1
_DAY = 86400.0
_FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "running": {"state": "running"},
    "failed": {"state": "failed"},
    "trainings": {"kind": "train_model"},
    "failed trainings": {"state": "failed", "kind": "train_model"},
    "cancelled, none": {"state": "cancelled"},
    "older than 25 days": {"older": 25 * _DAY},
    "failed, older than 25 days": {"older": 25 * _DAY, "state": "failed"},
    "succeeded trainings, newer than 2 days": {"newer": 2 * _DAY, "state": "succeeded", "kind": "train_model"},
    "failed, newer than a second, none": {"newer": 1.0, "state": "failed"},
    "the page in the middle": {"after": "task-0500000"},
    "succeeded, the page in the middle": {"after": "task-0500000", "state": "succeeded"},
}
# a task every 2.6 s for 30 days; one of a hundred has failed, one of a thousand is a training, the last ones run
_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
INSERT INTO tasks (id, kind, params, digest, batch_key, priority, submitted_by, state, attempts, last_event,
                   result, created_at)
SELECT {name}, CASE WHEN n % 1000 = 7 THEN 'train_model' ELSE 'classify_images' END, '{{"dataset": "cats"}}',
       '{digest}', 'cats', n % 10, 'benchmark',
       CASE WHEN n > {rows} - 100 THEN 'running' WHEN n % 100 = 7 THEN 'failed' ELSE 'succeeded' END,
       1, 3, '{{"model": "7", "images": []}}', {moment}
FROM numbers
"""
_IN_SQL = {
    "sqlite": (
        "printf('task-%07d', n)",
        "strftime('%Y-%m-%d %H:%M:%f000', 'now', ((n - {rows}) * 2.592 - 60) || ' seconds')",
    ),
    "postgresql": (
        "'task-' || lpad(n::text, 7, '0')",
        "now() + ((n - {rows}) * 2.592 - 60) * interval '1 second'",
    ),
}


def measure(rounds: int) -> list[Figure]:
    """Within 100 ms, whatever is asked for."""
    found = []
    for name, database in _databases():
        _fill(database)
        ledger = Ledger(database)
        for what, filters in _FILTERS.items():
            times = [seconds(partial(list_tasks, ledger, **filters)) for _ in range(rounds)]
            ratios = [one / SECONDS for one in times]
            title = f"{name}, {what} / 100 ms"
            found.append(figure(title, ratios, 1.0, True, f"{1000 * max(times):.1f} ms of {ROWS:,} tasks"))
    return found


def _databases() -> Iterator[tuple[str, Engine]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", open_database(f"sqlite:///{folder}/cv.sqlite")
    with run_postgres() as server:
        engine = open_database(server.new_database())
        yield "Postgres", engine
        engine.dispose()


def _fill(database: Engine) -> None:
    name, moment = _IN_SQL[database.dialect.name]
    fill = _FILL.format(rows=ROWS - 1, name=name, digest="0" * 64, moment=moment.format(rows=ROWS - 1))
    with database.begin() as connection:
        connection.execute(text(fill))
        connection.execute(text("ANALYZE"))
