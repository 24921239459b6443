"""From a step that is to run to a service on the engine; to launch again changes nothing."""

import os

from sqlalchemy import Engine as Database

from cv_pipelines.errors import CvError, InputError
from cv_pipelines.execution import leases
from cv_pipelines.execution.engine import Engine
from cv_pipelines.execution.needs import Needs
from cv_pipelines.execution.placement import avoided_nodes, constraints_of, why_nowhere, with_more_memory
from cv_pipelines.execution.step_service import Step, image_of, service_of
from cv_pipelines.settings import SwarmSettings


class StepLauncher:
    """Puts attempts on record, and then on the engine."""

    def __init__(self, engine: Engine, database: Database, settings: SwarmSettings) -> None:
        """Nothing is asked yet."""
        self._engine, self._database, self._settings = engine, database, settings
        self._digests: dict[str, str] = {}

    def launch(self, step: Step, needs: Needs, launchers_image: str | None) -> None:
        """Have a container made for an attempt. It is on record before anybody is asked for it.

        Raises:
            InputError: there is something wrong with what the step asks for.
            EngineUnreachableError: the engine does not answer: again, later.
        """
        image = image_of(step, self._settings, launchers_image)
        name = leases.request(
            self._database,
            step.run.run_id,
            step.key,
            step.attempt,
            image,
            needs.gpus,
            needs.memory_gb,
            self._settings.lease,
        )
        known = leases.leases_of(self._database, step.run.run_id).values()
        earlier = [one for one in known if one.step_key == step.key and one.attempt < step.attempt]
        self._end(earlier)
        nodes = self._engine.nodes()
        needs = with_more_memory(needs, earlier, nodes)
        problem = why_nowhere(needs, nodes)
        if problem:
            raise InputError("no_such_node", f"Step '{step.key}' fits nowhere. {problem}")
        pinned = self._pinned(image)
        leases.describe(self._database, name, pinned, needs.memory_gb)
        constraints = constraints_of(needs, nodes, avoided_nodes(earlier))
        self._engine.create(service_of(step, pinned, needs, constraints, self._settings, os.environ))

    def remove(self, name: str) -> None:
        """Remove a container; what does not go now is the janitor's."""
        try:
            self._engine.remove(name)
        except CvError:
            return

    def _end(self, earlier: list[leases.Lease]) -> None:
        """End attempts that have said their last word and are still there; they hold what the next one needs."""
        for one in earlier:
            if one.state in ("requested", "running"):
                leases.revoke(self._database, one.id, "superseded")
                self.remove(one.id)

    def _pinned(self, image: str) -> str:
        """The image by its digest; all steps of a run have the same one, whatever becomes of its tag meanwhile."""
        if image not in self._digests:
            self._digests[image] = self._engine.digest_of(image)
        return self._digests[image]
