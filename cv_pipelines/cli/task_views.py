"""Tasks as programs read them, and as people do."""

import json
from typing import Any

from cv_pipelines.settings import load_settings
from cv_pipelines.tasks.ledger.ledger import AnyRow

_LONGEST = 500


def brief(row: AnyRow) -> dict[str, Any]:
    """A task in a list."""
    return {
        "task_id": row.id,
        "kind": row.kind,
        "state": row.state,
        "progress": row.progress,
        "priority": row.priority,
        "attempts": row.attempts,
        "submitted_by": row.submitted_by,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "error": row.error,
    }


def full(row: AnyRow) -> dict[str, Any]:
    """All that is known of a task."""
    ui = str(load_settings().ui_url).rstrip("/")
    return {
        "task_id": row.id,
        "kind": row.kind,
        "state": row.state,
        "progress": row.progress,
        "params": row.params,
        "priority": row.priority,
        "deadline": row.deadline,
        "reply": row.reply,
        "submitted_by": row.submitted_by,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "not_before": row.not_before if row.state == "queued" else None,
        "cancel_requested": row.cancel,
        "attempts": row.attempts,
        "run_id": row.run_id,
        "run_url": f"{ui}/runs/{row.run_id}" if row.run_id else None,
        "result": row.result,
        "error": row.error,
    }


def readable(facts: dict[str, Any]) -> list[tuple[str, object]]:
    """Facts about a task for a table: what there is, long values cut."""
    return [(name.replace("_", " "), _cell(name, value)) for name, value in facts.items() if value is not None]


def percent(progress: float | None) -> str:
    """A share as people read it; empty where nothing is known."""
    return "" if progress is None else f"{progress:.0%}"


def error_line(error: dict[str, str] | None) -> str:
    """An error in one line."""
    return f"{error['source']}: {error['message']}" if error else ""


def _cell(name: str, value: Any) -> object:
    if name == "progress":
        return percent(value)
    if name == "error":
        return error_line(value)
    if isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … (all of it: --json)"
    return value
