"""Docker Swarm as the engine of steps: a service with one replica is one attempt at one step."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice

import docker
from docker.errors import APIError, NotFound
from docker.types import ServiceMode

from cv_pipelines.execution.docker_api import explained, open_api
from cv_pipelines.execution.engine import (
    LEASE,
    RUN,
    EngineRefusedError,
    EngineUnreachableError,
    NodeOffer,
    Placement,
    Service,
)
from cv_pipelines.execution.swarm_spec import has_joined, offer_of, placement_of, task_template

_RUN_CONTAINER = "dagster/run_id"
"""Label that the DockerRunLauncher gives."""
_CONFLICT = 409
_MOST_PARTS = 500
"""Of a log; each is at most 16 KB, and about a line."""
_NOT_LOGS = ("error from daemon in stream", "Error grabbing logs")
"""An engine sends its own errors as if the container had written them."""


class SwarmEngine:
    """The swarm whose manager DOCKER_HOST leads to."""

    @cached_property
    def _api(self) -> docker.APIClient:
        return open_api()

    @cached_property
    def _version(self) -> str:
        return str(self._api.version()["Version"])

    def digest_of(self, image: str) -> str:
        """See Engine."""
        if "@" in image or image.startswith("sha256:"):
            return image
        name = image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image
        try:
            with explained(f"look for the image {image}"):
                known = self._api.inspect_image(image).get("RepoDigests") or ()
        except EngineRefusedError:
            known = ()
        here = [one for one in known if one.startswith(f"{name}@")]
        if here:
            return str(here[0])
        try:
            with explained(f"ask the registry for {image}"):
                return f"{name}@{self._api.inspect_distribution(image)['Descriptor']['digest']}"
        except (EngineRefusedError, EngineUnreachableError):
            return image

    def create(self, service: Service) -> None:
        """See Engine."""
        with explained(f"make the service {service.name}"):
            template = task_template(service, self._version, self._secret_ids(service.secrets))
            try:
                mode = ServiceMode("replicated", replicas=1)
                self._api.create_service(template, name=service.name, labels=dict(service.labels), mode=mode)
            except APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                self._adopt(service)

    def placements(self, run_id: str) -> Mapping[str, Sequence[Placement]]:
        """See Engine."""
        mine = {"label": f"{RUN}={run_id}"}
        with explained("look at the services of the run"):
            names = {one["ID"]: one["Spec"]["Name"] for one in self._api.services(filters=mine)}
            tasks = self._api.tasks(filters=mine) if names else []
            nodes = {node["ID"]: node for node in self._api.nodes()} if tasks else {}
        found: dict[str, list[Placement]] = {name: [] for name in names.values()}
        for task in sorted(tasks, key=lambda one: str(one["CreatedAt"]), reverse=True):
            name = names.get(task["ServiceID"])
            if name is not None:
                found[name].append(placement_of(task, nodes))
        return found

    def services(self) -> Mapping[str, str]:
        """See Engine."""
        with explained("list services"):
            if not self._api.info()["Swarm"].get("ControlAvailable"):
                return {}  # one Docker host, and no swarm
            found = self._api.services(filters={"label": LEASE})
        return {one["Spec"]["Name"]: one["Spec"]["Labels"].get(RUN, "") for one in found}

    def remove(self, name: str) -> None:
        """See Engine."""
        with explained(f"remove the service {name}"):
            try:
                self._api.remove_service(name)
            except NotFound:
                return

    def last_lines(self, name: str, lines: int) -> str:
        """See Engine."""
        with explained(f"show what {name} has written"):
            api = open_api()  # of its own: others must not wait for a node that does not answer
            try:
                parts = api.service_logs(name, stdout=True, stderr=True, tail=lines, is_tty=False)
                text = b"".join(islice(parts, _MOST_PARTS)).decode(errors="replace")
            finally:
                api.close()
        return "" if text.startswith(_NOT_LOGS) else text

    def run_containers(self) -> Mapping[str, str]:
        """See Engine."""
        with explained("list containers"):
            found = self._api.containers(all=True, filters={"label": _RUN_CONTAINER})
        return {one["Id"]: one["Labels"][_RUN_CONTAINER] for one in found}

    def remove_container(self, name: str) -> None:
        """See Engine."""
        with explained(f"remove the container {name}"):
            try:
                self._api.remove_container(name, force=True)
            except NotFound:
                return

    def nodes(self) -> Sequence[NodeOffer]:
        """See Engine."""
        with explained("list nodes"):
            return [offer_of(node) for node in self._api.nodes() if has_joined(node)]

    def _adopt(self, service: Service) -> None:
        """A service of that name is there: ours, if an earlier call's answer was lost."""
        labels = self._api.inspect_service(service.name)["Spec"]["Labels"]
        if labels.get(LEASE) != service.labels[LEASE]:
            message = f"There is a service '{service.name}' already that is not ours: remove or rename it."
            raise EngineRefusedError("name_taken", message)

    def _secret_ids(self, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        found = {one["Spec"]["Name"]: one["ID"] for one in self._api.secrets(filters={"name": list(names)})}
        missing = [name for name in names if name not in found]
        if missing:
            message = f"The swarm has no secret {', '.join(missing)}: see 'docker secret create' on a manager."
            raise EngineRefusedError("no_secret", message)
        return {name: found[name] for name in names}
