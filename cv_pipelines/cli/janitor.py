"""`cv-pipelines node janitor`: beside the daemon, for as long as there are worker nodes."""

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.output import console, errors
from cv_pipelines.errors import CvError

if TYPE_CHECKING:
    from cv_pipelines.execution.janitor import Swept

_PRUNE_SECONDS = 3600.0
_DAYS = 30.0
"""For so long it is known what became of an attempt at a step."""


@click.command()
@click.option("--interval", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds.")
@click.option("--once", is_flag=True, help="One sweep, and end.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each sweep that did something.")
def janitor(interval: float, once: bool, as_json: bool) -> None:
    """Remove containers that nobody waits for: of runs that have ended, of attempts that were given up."""
    from functools import partial

    from cv_pipelines.cli.context import open_catalog
    from cv_pipelines.execution.janitor import sweep
    from cv_pipelines.execution.leases import prune
    from cv_pipelines.execution.swarm_engine import SwarmEngine
    from cv_pipelines.orchestration.instance import open_instance
    from cv_pipelines.orchestration.run_states import run_states

    engine, database = SwarmEngine(), open_catalog().database
    with open_instance() as instance:

        def work() -> None:
            _tell(sweep(engine, database, partial(run_states, instance)), as_json)

        if once:
            work()
        else:
            _go_on(work, lambda: prune(database, _DAYS), interval)


def _go_on(work: Callable[[], None], prune: Callable[[], int], interval: float) -> None:
    """Work until a signal; what is away is waited for, and told of once."""
    from sqlalchemy.exc import DBAPIError

    from cv_pipelines.database.outage import is_outage

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    console.print("The janitor looks for containers that nobody waits for.")
    problem, pruned = "", float("-inf")
    while not stop.is_set():
        told = ""
        try:
            work()
            if time.monotonic() - pruned > _PRUNE_SECONDS:
                prune()
                pruned = time.monotonic()
        except CvError as error:
            told = error.user_message
        except DBAPIError as error:
            if not is_outage(error):
                raise
            told = "The database does not answer."
        if told and told != problem:
            errors.print(f"The janitor waits: {told}", style="yellow", markup=False, soft_wrap=True)
        problem = told
        stop.wait(interval)


def _tell(swept: "Swept", as_json: bool) -> None:
    if not swept.removed and not swept.refused and not swept.revoked:
        return
    if as_json:
        click.echo(json.dumps(asdict(swept)))
        return
    for name, reason in swept.removed.items():
        console.print(f"Removed {name}: {reason}.", markup=False)
    for name, reason in swept.refused.items():
        errors.print(f"{name} stays: {reason}", style="yellow", markup=False, soft_wrap=True)
    if swept.revoked:
        console.print(f"Took back {swept.revoked} attempts of runs that have ended.")
