"""Dagster's step handler for worker nodes: launch, look after, and end steps on an engine."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from dagster import DagsterEvent
from dagster._core.execution.context.system import IStepContext
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepHandler,
    StepHandlerContext,
)
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DBAPIError

from cv_pipelines.database.outage import is_outage
from cv_pipelines.errors import CvError, InternalError
from cv_pipelines.execution import leases
from cv_pipelines.execution.engine import Engine, EngineUnreachableError, Placement
from cv_pipelines.execution.last_words import LastWords
from cv_pipelines.execution.leases import Lease
from cv_pipelines.execution.needs import Needs, needs_of
from cv_pipelines.execution.step_events import tell, tell_begin, tell_end, tell_launch
from cv_pipelines.execution.step_launcher import StepLauncher
from cv_pipelines.execution.step_service import Step
from cv_pipelines.execution.verdict import Alive, Limits, Over, Verdict, judge, newest, phase_of
from cv_pipelines.settings import SwarmSettings

_LOOK_SECONDS = 0.9
"""For so long one look at the engine and at the leases serves all steps of a run."""
_QUIET_SECONDS = 10.0
"""A guard that was heard of in this time needs no look at the engine; an engine that does not answer gets none."""
_FAREWELL_SECONDS = 10.0
"""For a process that has written its step's last event, to say how it ended; busy machines take their time."""
_LINGER_SECONDS = 30.0
"""For a process that has written its step's last event, to end by itself."""


@dataclass
class _Watched:
    """What this process knows of an attempt besides what is on record."""

    step: Step
    launchers_image: str | None
    needs: Needs = field(default_factory=Needs)
    is_requested: bool = False
    refused: Over | None = None
    doubt: str = ""
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
        self._launcher = StepLauncher(engine, database, settings)
        self._last_words = LastWords(engine)
        self._watched: dict[str, _Watched] = {}
        self._over: dict[str, Over] = {}
        self._attempts_over: Counter[str] = Counter()
        self._finished: dict[str, float] = {}
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
        context, watched = self._watch(step_handler_context)
        self._over.pop(watched.step.key, None)
        try:
            watched.needs = needs_of(watched.step.tags)
            self._launch(context, watched)
        except CvError as error:
            _refuse(watched, error)
        tell_launch(context, watched.step.lease)
        yield from ()

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Whether an attempt goes on; an unhealthy one is dead for certain, or will never begin."""
        try:
            return self._check(*self._watch(step_handler_context))
        except DBAPIError as error:
            if not is_outage(error):
                raise
            return CheckStepHealthResult.healthy()  # nobody can know, and the next look may

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Take an attempt back and remove its container; what fails now is the janitor's."""
        context, watched = self._watch(step_handler_context)
        tell(context, f"Ending {watched.step.lease}.")
        with suppress(DBAPIError):
            leases.revoke(self._database, watched.step.lease, "cancelled")
        self._launcher.remove(watched.step.lease)
        yield from ()

    def end_all(self) -> None:
        """Take back all attempts of a run that is being cancelled, and remove their containers."""
        with suppress(DBAPIError):
            for name in self._watched:
                leases.revoke(self._database, name, "cancelled")
        for name in self._watched:
            self._launcher.remove(name)

    def finished(self, run_id: str, step_key: str) -> None:
        """Note that the last event of an attempt has been read: its process has nothing to do any more.

        Events are read in their order, and from the first one by whoever resumes a run: so they count attempts.
        """
        name = leases.lease_id(run_id, step_key, self._attempts_over[step_key])
        self._attempts_over[step_key] += 1
        self._finished[name] = time.monotonic()

    def end_lingering(self, seconds: float = _LINGER_SECONDS) -> None:
        """End processes that have nothing to do any more, and remove their containers."""
        now = time.monotonic()
        for name in [one for one, since in self._finished.items() if now - since >= seconds]:
            leases.revoke(self._database, name, "finished")
            self._launcher.remove(name)
            del self._finished[name]
            self._watched.pop(name, None)

    def clean_up(self) -> None:
        """Leave no container of a finished step behind; one that goes on is its next run worker's.

        A step that has written its last event needs a moment more to end by itself, and say so.
        """
        ends = time.monotonic() + _FAREWELL_SECONDS
        with suppress(DBAPIError):
            while time.monotonic() < ends:
                held = leases.find_leases(self._database, list(self._finished)).values()
                if all(one.ended is not None or one.state == "requested" for one in held):
                    break
                time.sleep(0.1)
            self.end_lingering(0.0)

    def _check(self, context: IStepContext, watched: _Watched) -> CheckStepHealthResult:
        step = watched.step
        self._look_again(step.run.run_id)
        lease = self._look.leases.get(step.lease)
        verdict = watched.refused or self._judge(watched, lease)
        if isinstance(verdict, Over):
            # Dagster reads what steps have written between two looks: it may be the last event of this one
            if watched.refused is None and watched.doubt != verdict.code:
                watched.doubt = verdict.code
                if lease and not lease.log_tail and self._is_reachable(step.lease):
                    self._last_words.ask(step.lease)
            elif self._last_words.are_awaited(step.lease):
                pass
            elif self._take_back(lease, verdict):
                self._over[step.key] = verdict
                words = self._last_words.of(step.lease)
                tell_end(context, replace(lease, log_tail=words) if lease and words else lease, verdict)
                self._launcher.remove(step.lease)
                return CheckStepHealthResult.unhealthy(verdict.message)
            else:
                watched.refused = None
            return CheckStepHealthResult.healthy()
        watched.doubt = ""
        if lease and lease.state == "running" and not watched.is_begun:
            watched.is_begun = True
            tell_begin(context, lease)
        self._note(context, watched, verdict.note)
        if lease is None or (lease.state == "requested" and watched.phase == "missing"):
            self._launch(context, watched)
        return CheckStepHealthResult.healthy()

    def _judge(self, watched: _Watched, lease: Lease | None) -> Verdict:
        answered = self._look.placements
        placements = answered.get(watched.step.lease, ()) if answered is not None else None
        phase, now = phase_of(placements), time.monotonic()
        if phase != watched.phase:
            watched.phase, watched.phase_since = phase, now
        limits = Limits(watched.needs.max_wait_s, self._settings.pull, self._settings.begin)
        if lease is not None:
            watched.is_requested = True
            return judge(lease, placements, now - watched.phase_since, limits)
        if watched.is_requested:
            # somebody has deleted it: its guard ends, and nobody can say when
            return Over("infrastructure", "no_lease", "Its record is gone from the database.", is_final=True)
        return Alive()

    def _launch(self, context: IStepContext, watched: _Watched) -> None:
        """Launch, or say why that has to wait; nothing escapes, for Dagster would end all other steps with it."""
        try:
            self._launcher.launch(watched.step, watched.needs, watched.launchers_image)
        except EngineUnreachableError as error:
            self._note(context, watched, f"{error.user_message} The step waits.")
        except CvError as error:
            _refuse(watched, error)
        except DBAPIError as error:
            if not is_outage(error):
                _refuse(watched, _fault(error))
        except Exception as error:  # noqa: BLE001 - see above
            _refuse(watched, _fault(error))
        self._look = _Look()  # what was seen before knows nothing of it

    def _watch(self, context: StepHandlerContext) -> tuple[IStepContext, _Watched]:
        """The attempt that Dagster means; an earlier process of this run may have launched it."""
        args = context.execute_step_args
        (key,) = args.step_keys_to_execute or ()
        attempt = args.known_state.get_retry_state().get_attempt_count(key) if args.known_state else 0
        overrides = {name: value for name, value in context.dagster_run.tags.items() if name.startswith("cv/")}
        step = Step(context.dagster_run, key, attempt, {**context.step_tags[key], **overrides}, args)
        if step.lease not in self._watched:
            watched = _Watched(step, getattr(context.instance.run_launcher, "image", None))
            with suppress(CvError):  # told when it is launched
                watched.needs = needs_of(step.tags)
            self._watched[step.lease] = watched
        return context.get_step_context(key), self._watched[step.lease]

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
            except CvError:
                self._engine_quiet_until = time.monotonic() + _QUIET_SECONDS
        self._look = _Look(time.monotonic(), held, placements)

    def _is_reachable(self, name: str) -> bool:
        """Whether there is a container, on a node that the engine hears of."""
        placements = (self._look.placements or {}).get(name, ())
        return bool(placements) and newest(placements).node is not None and newest(placements).node_is_up

    def _take_back(self, lease: Lease | None, verdict: Over) -> bool:
        """Make sure that nobody begins or goes on with an attempt; False where it has come to life meanwhile."""
        if lease is None or lease.state in ("ended", "revoked"):
            return True
        guarded = (verdict.silent_for, verdict.unbegun)
        return leases.revoke(self._database, lease.id, verdict.code, verdict.source, *guarded)

    def _note(self, context: IStepContext, watched: _Watched, note: str) -> None:
        """Show something in the UI, once."""
        if note and note != watched.note:
            watched.note = note
            tell(context, note)


def _is_doubtful(lease: Lease) -> bool:
    """Whether the engine may know more of an attempt than its lease says."""
    if lease.state == "requested":
        return True
    return lease.state == "running" and (lease.silent or 0.0) > _QUIET_SECONDS


def _refuse(watched: _Watched, error: CvError) -> None:
    """Note that an attempt cannot be launched; should it have begun all the same, it goes on."""
    watched.refused = Over(error.source, error.code, error.user_message, unbegun=True)


def _fault(error: Exception) -> CvError:
    return InternalError("launch", f"The step could not be launched: {error!r}.")
