"""`cv-pipelines node …`: the machines that steps run on."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cv_pipelines.cli.janitor import janitor
from cv_pipelines.cli.node_check import check
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table

if TYPE_CHECKING:
    from cv_pipelines.execution.node_view import NodeView


@click.group()
def node() -> None:
    """Worker nodes: the machines that steps run on."""


node.add_command(check)
node.add_command(janitor)


@node.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all nodes with their GPUs and the steps that they run; on a manager.

    \b
    Examples:
      cv-pipelines node list
      cv-pipelines node list --json
    """
    from cv_pipelines.execution.node_view import miscounted
    from cv_pipelines.execution.swarm_nodes import SwarmNodes

    nodes = SwarmNodes()
    views = nodes.views()
    if as_json:
        print_json([{**asdict(view), "gpus_free": view.gpus_free} for view in views])
    else:
        columns = [
            "node",
            "state",
            "takes steps",
            "role",
            "engine",
            "CPUs#",
            "GB#",
            "GPUs#",
            "free#",
            "labels",
            "steps",
        ]
        print_table(columns, map(_row, views))
    odd = miscounted(views, nodes.engine_version)
    if odd:
        names = ", ".join(f"{view.name} ({view.engine})" for view in odd)
        message = f"The manager's engine {nodes.engine_version} counts GPUs in another way than that of {names}."
        errors.print(f"{message} Give all nodes the same version.", style="yellow", markup=False, soft_wrap=True)


@node.command()
@click.argument("name", metavar="NODE")
def drain(name: str) -> None:
    """Take a node out of service: its steps are ended, and tried again on others; on a manager.

    \b
    Example:
      cv-pipelines node drain gpu-07
    """
    from cv_pipelines.execution.swarm_nodes import SwarmNodes

    view = SwarmNodes().set_availability(name, "drain")
    console.print(f"Node {view.name} takes no steps any more.", markup=False)
    for step in view.steps:
        console.print(f"It ran {step.step_key} of run {step.run_id}: ended.", markup=False, soft_wrap=True)
    console.print(f"When it is back: cv-pipelines node activate {view.name}", markup=False, soft_wrap=True)


@node.command()
@click.argument("name", metavar="NODE")
def activate(name: str) -> None:
    """Let a node take steps again; on a manager.

    \b
    Example:
      cv-pipelines node activate gpu-07
    """
    from cv_pipelines.execution.swarm_nodes import SwarmNodes

    view = SwarmNodes().set_availability(name, "active")
    heard = "" if view.state == "ready" else f", once it is heard of again: it is {view.state}"
    console.print(f"Node {view.name} takes steps{heard}.", markup=False)


@node.command("join-command")
@click.option("--gpus", type=click.IntRange(0, 64), default=1, show_default=True, help="That the new node has.")
@json_option
def join_command(gpus: int, as_json: bool) -> None:
    """Say what to run on a machine so that it becomes a worker; on a manager. The line holds a secret.

    \b
    Examples:
      cv-pipelines node join-command
      cv-pipelines node join-command --gpus 4
    """
    from cv_pipelines.execution.gpu_resource import daemon_options
    from cv_pipelines.execution.swarm_nodes import SwarmNodes

    invitation = SwarmNodes().invitation()
    options = "{" + daemon_options(invitation.engine_version, gpus) + "}" if gpus else None
    if as_json:
        print_json({"command": invitation.command, "daemon_json": options})
        return
    if options:
        console.print("In /etc/docker/daemon.json of the new node, then 'systemctl restart docker':\n")
        click.echo(f"  {options}\n")
    console.print("On the new node:\n")
    click.echo(f"  {invitation.command}\n")
    console.print("Then, there: cv-pipelines node check")


def _row(view: "NodeView") -> list[object]:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(view.labels.items()))
    steps = "\n".join(f"{step.step_key} ({step.run_id[:8]})" for step in view.steps)
    takes = {"active": "yes", "pause": "no new ones", "drain": "no"}.get(view.availability, view.availability)
    sizes = [f"{view.cpus:g}", f"{view.memory_gb:.1f}", view.gpus, view.gpus_free]
    return [view.name, view.state, takes, view.role, view.engine, *sizes, labels, steps]
