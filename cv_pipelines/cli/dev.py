"""`cv-pipelines dev`: the Dagster UI with its daemon."""

import os
import sys

import click

from cv_pipelines.cli.output import console
from cv_pipelines.settings import ROOT


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The UI has no login: keep it local.")
@click.option("--port", default=3000, show_default=True)
def dev(host: str, port: int) -> None:
    """Start the Dagster UI with its daemon, and stay in the foreground.

    \b
    Example:
      cv-pipelines dev --port 3001
    """
    from cv_pipelines.cli.context import open_catalog
    from cv_pipelines.images.datasets import list_datasets
    from cv_pipelines.orchestration.instance import add_partition, open_instance
    from cv_pipelines.orchestration.lost_runs import end_lost_runs

    with open_instance() as instance:
        end_lost_runs(instance)
        for dataset in list_datasets(open_catalog().database):
            add_partition(instance, dataset.name)
    os.chdir(ROOT)
    os.environ.setdefault("CV_UI_URL", f"http://{host}:{port}")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # Dagster's, about itself
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")  # of runs: large pages for large tensors
    console.print(f"The UI will be at http://{host}:{port} in a few seconds; Ctrl-C stops it.")
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "--host", host, "--port", str(port)]
    command += ["--workspace", str(ROOT / "workspace.yaml"), "--log-level", "warning"]
    os.execv(sys.executable, command)  # noqa: S606
