"""`cv-pipelines node check`: whether this machine can be a worker node."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table
from cv_pipelines.cli.waiting import shown_when_slow
from cv_pipelines.settings import load_settings, load_swarm_settings

if TYPE_CHECKING:
    from cv_pipelines.execution.node_check.finding import Finding


@click.command()
@click.option("--for", "names", metavar="JOB", multiple=True, help="Only what this job needs; may be repeated.")
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Check whether this machine can run the steps of all jobs; ends with status 1 if something is missing.

    \b
    Examples:
      cv-pipelines node check
      cv-pipelines node check --for sync --for predict
      cv-pipelines node check --json
    """
    with shown_when_slow() as progress:
        from cv_pipelines.definitions import defs
        from cv_pipelines.execution.node_check.check import check_node
        from cv_pipelines.execution.node_check.finding import is_fit
        from cv_pipelines.execution.node_check.wanted import choose_jobs, steps_of

        jobs = choose_jobs(defs.get_repository_def().get_all_jobs(), names)
        findings = check_node(load_settings(), load_swarm_settings(), steps_of(jobs), progress)
    fit, of = is_fit(findings), [job.name for job in jobs]
    if as_json:
        print_json({"fit": fit, "jobs": of, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings, of)
    sys.exit(0 if fit else 1)


def _show(findings: Sequence["Finding"], jobs: Sequence[str]) -> None:
    print_table(
        ["check", "found", "needed", "verdict", "how to mend it"],
        [tuple(asdict(finding).values()) for finding in findings],
    )
    missing = [finding.check for finding in findings if finding.verdict == "missing"]
    if missing:
        message = f"\nNot fit for the steps of {', '.join(jobs)}. Missing: {', '.join(missing)}."
        errors.print(message, style="bold red", markup=False, soft_wrap=True)
    else:
        console.print(f"\nFit for the steps of {', '.join(jobs)}.", markup=False, soft_wrap=True)
