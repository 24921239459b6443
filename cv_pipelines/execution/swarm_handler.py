"""Dagster's step handler for worker nodes: launch, look after, and end steps on an engine."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dagster import DagsterEvent, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.execution.context.system import IStepContext
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepHandler,
    StepHandlerContext,
)
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError, InputError, InternalError
from cv_pipelines.execution import leases
from cv_pipelines.execution.engine import Engine, EngineUnreachableError, Placement
from cv_pipelines.execution.leases import Lease
from cv_pipelines.execution.needs import Needs, needs_of
from cv_pipelines.execution.placement import avoided_nodes, constraints_of, why_nowhere, with_more_memory
from cv_pipelines.execution.step_service import Step, image_of, service_of
from cv_pipelines.execution.verdict import Alive, Limits, Over, Verdict, judge
from cv_pipelines.settings import SwarmSettings

_LOOK_SECONDS = 0.9
"""For so long one look at the engine and at the leases serves all steps of a run."""
_QUIET_SECONDS = 10.0
"""A guard that was heard of in this time needs no look at the engine; an engine that does not answer gets none."""

_FAREWELL_SECONDS = 3.0


@dataclass
class _Watched:
    """What this process knows of an attempt besides what is on record."""

    needs: Needs
    refused: Over | None = None
    note: str = ""
    is_begun: bool = False
    phase: str = ""
    phase_since: float = 0.0


@dataclass
class _Look:
    """The leases of a run, and what the engine says of its services, at one moment."""

    at: float = float("-inf")
    leases: Mapping[str, Lease] = field(default_factory=dict)
    placements: Mapping[str, Sequence[Placement]] | None = None


class SwarmStepHandler(StepHandler):
    """Steps as services. Whatever goes wrong with one is that step's failure, and no other's."""

    def __init__(self, engine: Engine, database: Database, settings: SwarmSettings) -> None:
        """Nothing is asked yet.

        Args:
            engine: runs containers.
            database: where leases are.
            settings: images, mounts, limits.
        """
        super().__init__()
        self._engine, self._database, self._settings = engine, database, settings
        self._watched: dict[str, _Watched] = {}
        self._over: dict[str, Over] = {}
        self._digests: dict[str, str] = {}
        self._look = _Look()
        self._engine_quiet_until = float("-inf")

    @property
    def name(self) -> str:
        """As shown in the UI."""
        return "SwarmStepHandler"

    def verdict_on(self, step_key: str) -> Over | None:
        """Why the newest attempt at a step was given up, if it was."""
        return self._over.get(step_key)

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Have a container made for a step; what stands against it is told by the next look at its health."""
        context, step = _unpack(step_handler_context)
        self._over.pop(step.key, None)
        watched = self._watched[step.lease] = _Watched(Needs())
        try:
            watched.needs = needs_of(step.tags)
            self._launch(context, step, watched, _launchers_image(step_handler_context))
        except EngineUnreachableError as error:
            self._note(context, watched, f"{error.user_message} The step waits.")
        except CvError as error:
            watched.refused = Over(error.source, error.code, error.user_message)
        except Exception as error:  # noqa: BLE001 - Dagster would end all other steps of the run with it
            problem = InternalError("launch", f"The step could not be launched: {error!r}.")
            watched.refused = Over(problem.source, problem.code, problem.user_message)
        yield DagsterEvent.step_worker_starting(context, f"Step {step.key} is to run as {step.lease}.", {})

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Whether an attempt goes on; an unhealthy one is dead for certain, or will never begin."""
        try:
            return self._check(step_handler_context)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            return CheckStepHealthResult.healthy()  # nobody can know, and the next look may

    def _check(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        context, step = _unpack(step_handler_context)
        watched = self._watched.get(step.lease)
        if watched is None:  # an earlier process of this run has launched it
            watched = self._watched[step.lease] = _Watched(needs_of(step.tags))
        self._look_again(step.run.run_id)
        lease = self._look.leases.get(step.lease)
        placements = (self._look.placements or {}).get(step.lease)
        verdict: Verdict = watched.refused or judge(
            lease, placements, self._seen_for(watched, placements), self._limits(watched.needs)
        )
        if isinstance(verdict, Over) and self._take_back(lease, verdict):
            self._over[step.key] = verdict
            self._tell_end(context, step, lease, verdict)
            return CheckStepHealthResult.unhealthy(verdict.message)
        if lease and lease.state == "running" and not watched.is_begun:
            watched.is_begun = True
            self._tell_begin(context, lease)
        if isinstance(verdict, Alive) and verdict.note:
            self._note(context, watched, verdict.note)
        self._launch_if_missing(context, step, watched, lease, _launchers_image(step_handler_context))
        return CheckStepHealthResult.healthy()

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Take an attempt back and remove its container; what cannot be removed now is the janitor's."""
        context, step = _unpack(step_handler_context)
        yield DagsterEvent.engine_event(context, f"Ending {step.lease}.", EngineEventData())
        try:
            leases.revoke(self._database, step.lease, "cancelled")
        finally:
            self._remove(step.lease)

    def clean_up(self) -> None:
        """Remove the containers of everything that this process has launched.

        A step that has written its last event needs a moment more to end by itself, and say so.
        """
        names = list(self._watched)
        ends = time.monotonic() + _FAREWELL_SECONDS
        while time.monotonic() < ends:
            held = leases.find_leases(self._database, names).values()
            if not any(one.state == "running" and one.ended is None for one in held):
                break
            time.sleep(0.1)
        for name in names:
            self._remove(name)

    def _launch(self, context: IStepContext, step: Step, watched: _Watched, launchers_image: str | None) -> None:
        image = self._pinned(image_of(step, self._settings, launchers_image))
        nodes = self._engine.nodes()
        known = leases.leases_of(self._database, step.run.run_id).values()
        earlier = [one for one in known if one.step_key == step.key and one.attempt < step.attempt]
        needs = with_more_memory(watched.needs, earlier, nodes)
        problem = why_nowhere(needs, nodes)
        if problem:
            raise InputError("no_such_node", f"Step '{step.key}' fits nowhere. {problem}")
        constraints = constraints_of(needs, nodes, avoided_nodes(earlier))
        service = service_of(step, image, needs, constraints, self._settings, os.environ)
        leases.request(self._database, step.run.run_id, step.key, step.attempt, image, needs.gpus, needs.memory_gb)
        self._engine.create(service)

    def _pinned(self, image: str) -> str:
        """The image by its digest; all steps of a run have the same one, whatever becomes of its tag meanwhile."""
        if image not in self._digests:
            self._digests[image] = self._engine.digest_of(image)
        return self._digests[image]

    def _launch_if_missing(
        self, context: IStepContext, step: Step, watched: _Watched, lease: Lease | None, image: str | None
    ) -> None:
        """Again, where the engine did not answer, or somebody has removed a service that had not begun."""
        there = self._look.placements
        if (lease and lease.state != "requested") or there is None or step.lease in there:
            return
        try:
            self._launch(context, step, watched, image)
        except EngineUnreachableError as error:
            self._note(context, watched, f"{error.user_message} The step waits.")
        except CvError as error:
            watched.refused = Over(error.source, error.code, error.user_message, unbegun=lease is not None)

    def _look_again(self, run_id: str) -> None:
        """One look a second, whatever the number of steps; at the engine only where there is a doubt."""
        now = time.monotonic()
        if now - self._look.at < _LOOK_SECONDS:
            return
        held = leases.leases_of(self._database, run_id)
        placements = None
        if now >= self._engine_quiet_until and any(_is_doubtful(one) for one in held.values()):
            try:
                placements = self._engine.placements(run_id)
                held = leases.leases_of(self._database, run_id)  # read after the engine: see `judge`
            except EngineUnreachableError:
                self._engine_quiet_until = time.monotonic() + _QUIET_SECONDS
        self._look = _Look(time.monotonic(), held, placements)

    def _seen_for(self, watched: _Watched, placements: Sequence[Placement] | None) -> float:
        """Seconds for which an attempt's newest container has been in its state."""
        phase = placements[0].state if placements else ""
        now = time.monotonic()
        if placements and phase != watched.phase:
            watched.phase, watched.phase_since = phase, now
        return now - watched.phase_since if phase else 0.0

    def _limits(self, needs: Needs) -> Limits:
        return Limits(self._settings.lease, needs.max_wait_s, self._settings.pull, self._settings.begin)

    def _take_back(self, lease: Lease | None, verdict: Over) -> bool:
        """Make sure that nobody begins or goes on with an attempt; False where it has come to life meanwhile."""
        if lease is None or lease.state in ("ended", "revoked"):
            return True
        return leases.revoke(self._database, lease.id, verdict.code, verdict.silent_for, verdict.unbegun)

    def _remove(self, name: str) -> None:
        try:
            self._engine.remove(name)
        except CvError:
            return  # the janitor goes on trying

    def _note(self, context: IStepContext, watched: _Watched, note: str) -> None:
        """Show something in the UI, once."""
        if note != watched.note:
            watched.note = note
            DagsterEvent.engine_event(context, note, EngineEventData())

    def _tell_begin(self, context: IStepContext, lease: Lease) -> None:
        shown = ", ".join(map(str, lease.devices)) or "none"
        DagsterEvent.engine_event(
            context, f"Running on node {lease.node}, GPUs: {shown}.", EngineEventData(_facts(lease))
        )

    def _tell_end(self, context: IStepContext, step: Step, lease: Lease | None, verdict: Over) -> None:
        """Say how an attempt ended, and remove what is left of it."""
        facts = {
            "source": MetadataValue.text(verdict.source),
            "reason": MetadataValue.text(verdict.code),
            **(_facts(lease) if lease else {}),
        }
        DagsterEvent.engine_event(context, verdict.message, EngineEventData(facts))
        if lease is not None:
            self._remove(step.lease)


def _is_doubtful(lease: Lease) -> bool:
    """Whether the engine may know more of an attempt than its lease says."""
    if lease.state == "requested":
        return True
    return lease.state == "running" and (lease.silent or 0.0) > _QUIET_SECONDS


def _facts(lease: Lease) -> dict[str, MetadataValue]:
    facts: dict[str, MetadataValue] = {
        "node": MetadataValue.text(lease.node or "none"),
        "container": MetadataValue.text(lease.container or "none"),
        "gpus": MetadataValue.text(", ".join(map(str, lease.devices)) or "none"),
        "image": MetadataValue.text(lease.image),
    }
    if lease.exit_code is not None:
        facts["exit_code"] = MetadataValue.int(lease.exit_code)
    if lease.log_tail:
        facts["last_lines"] = MetadataValue.md(f"```\n{lease.log_tail}\n```")
    return facts


def _unpack(context: StepHandlerContext) -> tuple[IStepContext, Step]:
    args = context.execute_step_args
    (key,) = args.step_keys_to_execute or ()
    attempt = args.known_state.get_retry_state().get_attempt_count(key) if args.known_state else 0
    run = context.dagster_run
    overrides = {name: value for name, value in run.tags.items() if name.startswith("cv/")}
    step = Step(run, key, attempt, {**context.step_tags[key], **overrides}, args)
    return context.get_step_context(key), step


def _launchers_image(context: StepHandlerContext) -> str | None:
    return getattr(context.instance.run_launcher, "image", None)
