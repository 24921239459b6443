"""From a step that Dagster wants run to the container that runs it. Pure, but for the environment it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

from dagster import DagsterRun
from dagster._grpc.types import ExecuteStepArgs

from cv_pipelines.errors import InputError
from cv_pipelines.execution.engine import LEASE, RUN, STEP, Service
from cv_pipelines.execution.leases import lease_id
from cv_pipelines.execution.needs import Needs
from cv_pipelines.settings import SwarmSettings

IMAGE_TAG = "cv/image"
_MOST_BYTES = 120_000
"""Of one variable: Linux takes 128 KiB, and says nothing of use about more."""
_NODE = {"CV_NODE": "{{.Node.Hostname}}", "CV_NODE_ID": "{{.Node.ID}}"}
"""Swarm fills them in: a name for people, and an id that no other node has."""


@dataclass(frozen=True)
class Step:
    """One attempt at a step.

    Attributes:
        run: whose step it is.
        key: its name in the run.
        attempt: 0 for the first.
        tags: its own, overridden by the run's.
        args: what Dagster hands to the process that does it.
    """

    run: DagsterRun
    key: str
    attempt: int
    tags: Mapping[str, str]
    args: ExecuteStepArgs

    @property
    def lease(self) -> str:
        """The id of its lease, and the name of its service."""
        return lease_id(self.run.run_id, self.key, self.attempt)


def image_of(step: Step, settings: SwarmSettings, launchers: str | None) -> str:
    """The image for a step.

    Args:
        step: which may ask for one of its own, by the tag cv/image.
        settings: say which ones are allowed.
        launchers: the one that the run launcher uses.

    Raises:
        InputError: there is none, or it is not allowed.
    """
    origin = step.run.job_code_origin
    of_code = origin.repository_origin.container_image if origin else None
    usual = settings.image or of_code or launchers
    wanted = step.tags.get(IMAGE_TAG)
    if wanted and wanted != usual and not any(fnmatch(wanted, pattern) for pattern in settings.images):
        message = f"Step '{step.key}' asks for the image '{wanted}', which CV_SWARM_IMAGES does not allow."
        raise InputError("image_not_allowed", message)
    image = wanted or usual
    if not image:
        raise InputError("no_image", "No image is named for steps on worker nodes: set CV_SWARM_IMAGE.")
    return image


def service_of(
    step: Step,
    image: str,
    needs: Needs,
    constraints: list[str],
    settings: SwarmSettings,
    environment: Mapping[str, str],
) -> Service:
    """The service of an attempt: its guard, which then runs Dagster's own command.

    Raises:
        InputError: Dagster's arguments are too long for a process, or a variable is not set.
    """
    command = list(step.args.get_command_args(skip_serialized_namedtuple=True))
    python = command[0] if command[1:3] == ["-m", "dagster"] else "python"
    guard = [python, "-m", "cv_pipelines.execution.guard", f"--lease={step.lease}"]
    guard += [f"--lease-seconds={settings.lease:g}", f"--gpus={needs.gpus}"]
    guard += [f"--max-seconds={needs.timeout_s:g}"] if needs.timeout_s else []
    own = {entry["name"]: entry["value"] for entry in step.args.get_command_env()}
    if any(len(value) > _MOST_BYTES for value in own.values()):
        message = f"What Dagster hands to step '{step.key}' is over {_MOST_BYTES} bytes: give it a smaller config."
        raise InputError("arguments", message)
    names = {"DAGSTER_RUN_JOB_NAME": step.run.job_name, "DAGSTER_RUN_STEP_KEY": step.key, "PYTHONUNBUFFERED": "1"}
    plain = own | names | _variables(settings, environment)
    return Service(
        name=step.lease,
        image=image,
        command=[*guard, "--", *command],
        environment={name: _literal(value) for name, value in plain.items()} | _NODE,
        labels={RUN: step.run.run_id, STEP: step.key, LEASE: step.lease},
        gpus=needs.gpus,
        memory_gb=needs.memory_gb,
        cpus=needs.cpus,
        constraints=constraints,
        networks=settings.networks,
        mounts=settings.mounts,
        secrets=settings.secrets,
    )


def _variables(settings: SwarmSettings, environment: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for entry in settings.env:
        name, given, value = entry.partition("=")
        if not given and name not in environment:
            raise InputError("environment", f"CV_SWARM_ENV names {name}, which is not set where the run executes.")
        found[name] = value if given else environment[name]
    return found


def _literal(value: str) -> str:
    """Swarm takes what stands in braces for a template."""
    return value.replace("{{", '{{"{{"}}')
