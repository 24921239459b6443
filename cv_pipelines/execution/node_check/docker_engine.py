"""Looking at the machine's Docker engine: its swarm, its GPUs, its image, and CUDA in a container of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cv_pipelines.execution.engine import EngineRefusedError, EngineUnreachableError
from cv_pipelines.execution.gpu_resource import KIND, discrete_gpus
from cv_pipelines.execution.node_check.probe import SECONDS

CUDA_SECONDS = 60.0
"""For a container to be made, to look, and to be gone."""
_LOOK_SECONDS = 30.0
_LOOK = (
    "import ctypes\n"
    "cuda, count = ctypes.CDLL('libcuda.so.1'), ctypes.c_int()\n"
    "status = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))\n"
    "print('GPUs:', count.value) if not status else exit(f'CUDA begins with error {status}')\n"
)
"""With the driver alone, so that any image with Python will do."""


@dataclass(frozen=True)
class DockerEngine:
    """What Docker says of itself.

    Attributes:
        version: of the engine.
        data_root: folder of its images and containers.
        swarm: `active` where it is in one, else in Docker's words.
        is_manager: whether it is one of those that decide.
        units: of the generic resource for GPUs that it declares.
        has_named_gpus: whether it declares GPUs by names, which our steps do not ask for.
        default_runtime, runtimes: of containers.
    """

    version: str
    data_root: str
    swarm: str
    is_manager: bool
    units: int
    has_named_gpus: bool
    default_runtime: str
    runtimes: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """Where the image of steps is.

    Attributes:
        is_here: on this machine.
        in_registry: in its registry, as this machine sees it.
        problem: what the registry said otherwise.
    """

    is_here: bool
    in_registry: bool
    problem: str = ""


def look_at_docker() -> DockerEngine:
    """Ask the engine.

    Raises:
        EngineUnreachableError: it does not answer.
    """
    from cv_pipelines.execution.docker_api import explained, open_api

    with explained("say what it is"):
        return engine_of(open_api(SECONDS).info())


def engine_of(info: Mapping[str, Any]) -> DockerEngine:
    """What Docker's own description says."""
    resources: Sequence[Mapping[str, Any]] = info.get("GenericResources") or ()
    named = [one["NamedResourceSpec"]["Kind"] for one in resources if "NamedResourceSpec" in one]
    return DockerEngine(
        version=info["ServerVersion"],
        data_root=info["DockerRootDir"],
        swarm=info["Swarm"]["LocalNodeState"],
        is_manager=bool(info["Swarm"].get("ControlAvailable")),
        units=discrete_gpus(resources),
        has_named_gpus=KIND in named,
        default_runtime=info.get("DefaultRuntime", ""),
        runtimes=tuple(info.get("Runtimes") or ()),
    )


def look_at_image(image: str, seconds: float) -> Image:
    """Look for an image on this machine, and ask its registry.

    Args:
        image: its name.
        seconds: for each of the two.

    Raises:
        EngineUnreachableError: Docker does not answer, or the image is here and the registry silent.
    """
    from cv_pipelines.execution.docker_api import explained, open_api

    with explained("look for the image"):
        api = open_api(seconds)
    is_here = False
    with suppress(EngineRefusedError), explained(f"have the image {image}"):
        api.inspect_image(image)
        is_here = True
    if image.startswith("sha256:"):
        return Image(is_here, False, "it is named by its id, by which no registry gives it to other nodes")
    try:
        with explained(f"find {image} in its registry"):
            api.inspect_distribution(image)
    except EngineUnreachableError as error:
        silent = f"its registry said nothing within {seconds:g} s"
        return Image(is_here, False, silent if error.detail else error.user_message)
    except EngineRefusedError as error:
        return Image(is_here, False, error.user_message)
    return Image(is_here, True)


def count_gpus_in_container(image: str) -> int:
    """How many GPUs CUDA sees in a container of an image that is on this machine, with the NVIDIA runtime.

    Raises:
        EngineRefusedError: the container could not be made, or CUDA does not begin in it.
        EngineUnreachableError: Docker does not answer.
    """
    from cv_pipelines.execution.docker_api import explained, open_api

    with explained(f"run a container of {image} with the NVIDIA runtime"):
        api = open_api(_LOOK_SECONDS)
        variables = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
        made = api.create_container(
            image, entrypoint=["python", "-c", _LOOK], environment=variables, host_config=_host(api)
        )
        try:
            api.start(made["Id"])
            status = api.wait(made["Id"], timeout=_LOOK_SECONDS)["StatusCode"]
            words = api.logs(made["Id"]).decode(errors="replace").strip()
        finally:
            api.remove_container(made["Id"], force=True)
    if status:
        last = words.splitlines()[-1] if words else f"exit code {status}"
        raise EngineRefusedError("no_cuda", f"CUDA does not begin in a container of {image}: {last}")
    return int(words.rpartition(":")[2])


def _host(api: Any) -> Any:
    return api.create_host_config(runtime="nvidia", network_mode="none")
