"""Whether what every step needs beside its node is there. Pure."""

from cv_pipelines.database.engine import SCHEMA
from cv_pipelines.execution.node_check.finding import Finding, Verdict
from cv_pipelines.execution.node_check.probe import Measured
from cv_pipelines.execution.node_check.services import Database

MOST_SKEW_SECONDS = 2.0
_SLOW_SECONDS = 0.5
_NEAR = "Look for a network that is nearer: each step asks it often."


def is_for_many(url: str) -> bool:
    """Whether other machines can reach a database or store, too."""
    return not url.startswith(("sqlite", "file:"))


def judge_database(url: str, database: Measured[Database]) -> list[Finding]:
    """The database, its schema, and this machine's clock against its clock."""
    if not is_for_many(url):
        mend = "Set CV_DATABASE_URL to the Postgres of the platform (docs/storage.md)."
        return [Finding("database", "an SQLite of this machine", "one for all nodes", "missing", mend)]
    if database.value is None:
        mend = "Check CV_DATABASE_URL, and that nothing between this machine and the server forbids it."
        return [Finding("database", database.problem, "reachable", "missing", mend)]
    has = database.value
    return [_latency("database", has.latency), _schema(has.schema), _clock(has)]


def judge_store(url: str, latency: Measured[float]) -> Finding:
    """The object store."""
    if not is_for_many(url):
        mend = "Set CV_STORE_URL to the bucket of the platform (docs/storage.md)."
        return Finding("object store", "a folder of this machine", "one for all nodes", "missing", mend)
    if latency.value is None:
        mend = "Check CV_STORE_URL and the variables AWS_…, and the way to the server."
        return Finding("object store", latency.problem, "reachable", "missing", mend)
    return _latency("object store", latency.value)


def judge_broker(url: str, latency: Measured[float]) -> Finding:
    """The broker, where the platform has one."""
    if not url:
        found = "CV_RABBITMQ_URL is not set: tasks come by the command line"
        return Finding("broker", found, "nothing", "skipped")
    if latency.value is None:
        mend = "Check CV_RABBITMQ_URL and the way to the server."
        return Finding("broker", latency.problem, "reachable", "missing", mend)
    return _latency("broker", latency.value)


def _latency(check: str, seconds: float) -> Finding:
    is_quick = seconds <= _SLOW_SECONDS
    verdict: Verdict = "ok" if is_quick else "warning"
    return Finding(check, f"answers in {seconds * 1000:.0f} ms", "reachable", verdict, "" if is_quick else _NEAR)


def _schema(schema: str | None) -> Finding:
    check, needed = "database schema", SCHEMA
    if schema == SCHEMA:
        return Finding(check, schema, needed, "ok")
    if schema is None or schema < SCHEMA:
        found, mend = schema or "none yet", "Run 'cv-pipelines db upgrade'."
        return Finding(check, found, needed, "missing", mend)
    return Finding(check, schema, needed, "missing", "Update the program on this machine.")


def _clock(database: Database) -> Finding:
    """Only a difference that is certain counts."""
    where = "ahead of" if database.ahead > 0 else "behind"
    found = f"{abs(database.ahead):.2f} s {where} the database's (± {database.unsure:.2f} s)"
    needed = f"at most {MOST_SKEW_SECONDS:g} s"
    if abs(database.ahead) - database.unsure <= MOST_SKEW_SECONDS:
        return Finding("clock", found, needed, "ok")
    mend = "Keep the time by NTP, here and on the server: apt-get install chrony."
    return Finding("clock", found, needed, "missing", mend)
