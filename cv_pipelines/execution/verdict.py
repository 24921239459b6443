"""Whether an attempt at a step still lives: what its lease and the engine say, put together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from cv_pipelines.errors import Source
from cv_pipelines.execution.engine import Placement
from cv_pipelines.execution.leases import Lease, lost_after

NO_EVENT_SECONDS = 20.0
"""After an end that looks well, in which its last event must come."""

NO_PLACE = "no_place"


@dataclass(frozen=True)
class Limits:
    """Seconds that an attempt may spend in each of its phases.

    Those of waiting count from when it was requested, by the database's clock: another run worker changes nothing.
    The later ones have no such record, and are held by their sum, too.

    Attributes:
        wait: for a node, and for an engine that does not answer.
        pull: while its image is fetched.
        begin: from the start of its container until its guard has begun.
    """

    wait: float = 3600.0
    pull: float = 1800.0
    begin: float = 120.0

    def of_beginning(self, state: str) -> float:
        """Seconds from the request within which an attempt in this state must have gone on."""
        return self.wait + (0 if state == "waiting" else self.pull) + (0 if state != "running" else self.begin)


@dataclass(frozen=True)
class Alive:
    """It goes on; `note`: what a person would like to know of it."""

    note: str = ""


@dataclass(frozen=True)
class Over:
    """It does not go on.

    Attributes:
        source: who has to act, which decides about another attempt.
        code: a short stable name.
        message: what happened.
        silent_for: where set, only if its guard has not been heard of for so many seconds.
        unbegun: only if no guard has begun meanwhile.
        is_final: whether another attempt would be of no use, whatever the source.
    """

    source: Source
    code: str
    message: str
    silent_for: float | None = None
    unbegun: bool = False
    is_final: bool = False


Verdict = Alive | Over
_ENDS: dict[str, tuple[Source, str]] = {
    "out_of_memory": ("resource", "It ran out of memory{limit}."),
    "timeout": ("resource", "It took longer than it may, and was killed (see the tag cv/timeout_s)."),
    "gpus_differ": ("infrastructure", "The GPUs of its node are not the ones that it was promised."),
    "stopped": ("infrastructure", "Its container was told to stop: its node was drained, or its service removed."),
    "killed": ("infrastructure", "Its process was killed (exit code {code})."),
    "guard_failed": ("internal", "A fault in its guard. Please report it."),
    "failed": ("internal", "Its process ended with exit code {code}, before it could say why."),
}


def judge(lease: Lease, placements: Sequence[Placement] | None, seen_for: float, limits: Limits) -> Verdict:
    """Say whether an attempt goes on.

    The engine must have been asked before the lease was read: a guard says how it ended, and only then its
    container ends.

    Args:
        lease: of the attempt.
        placements: its containers, newest first; None where the engine was not asked, or did not answer.
        seen_for: seconds for which what the engine says has been the same (see `phase_of`).
        limits: how long each phase may take.
    """
    dead_after = lost_after(lease.lease_seconds)
    is_dead = lease.silent is None or lease.silent > dead_after or lease.ended is not None
    if lease.state == "revoked":
        return _revoked(lease) if is_dead else Alive("It was taken back; it is waited for until it is dead.")
    if lease.ended is not None:
        return _ended(lease, lease.ended)
    if lease.state == "requested":
        return _before_begin(lease, placements, seen_for, limits)
    if is_dead:
        message = f"It was lost: node {lease.node} was not heard of for {lease.silent or 0:.0f} s."
        return Over("infrastructure", "lost", message, silent_for=dead_after)
    if placements and all(one.state == "over" and one.node_is_up for one in placements):
        code = placements[0].exit_code
        words = f"exit code {code}; {placements[0].message}" if code is not None else placements[0].message
        return Over("infrastructure", "container_gone", f"Its container ended without a word ({words}).")
    if placements and not newest(placements).node_is_up:
        return Alive(f"Node {lease.node} is not heard of; the step is waited for until it is dead for certain.")
    return Alive()


def newest(placements: Sequence[Placement]) -> Placement:
    """The container that counts: the newest one that is not over, else the newest."""
    return next((one for one in placements if one.state != "over"), placements[0])


def phase_of(placements: Sequence[Placement] | None) -> str:
    """What the engine says of an attempt, in one word."""
    if placements is None:
        return "unanswered"
    return newest(placements).state if placements else "missing"


def _revoked(lease: Lease) -> Over:
    """What an earlier process of this run, or the janitor, has said of it."""
    sources: dict[str, Source] = {one: one for one in get_args(Source)}
    source = sources.get(lease.source, "infrastructure")
    return Over(source, lease.reason, f"It was given up ({lease.reason}).", is_final=lease.reason == NO_PLACE)


def _ended(lease: Lease, ago: float) -> Verdict:
    if lease.exit_code == 0:
        if ago < NO_EVENT_SECONDS:
            return Alive()
        return Over("infrastructure", "no_event", "It ended well, and no event says so.")
    source, words = _ENDS.get(lease.reason, _ENDS["failed"])
    limit = f" (its limit was {lease.memory_gb:g} GB)" if lease.memory_gb else ""
    return Over(source, lease.reason, words.format(code=lease.exit_code, limit=limit))


def _before_begin(
    lease: Lease, placements: Sequence[Placement] | None, seen_for: float, limits: Limits
) -> Verdict:
    if not placements:
        if seen_for > limits.wait or lease.age > limits.of_beginning("running"):
            waited = max(seen_for, lease.age)
            return _unbegun("infrastructure", "not_launched", f"It got no container within {waited:.0f} s.")
        return Alive() if placements is not None else Alive("Docker does not answer: the step waits.")
    one = newest(placements)
    if one.state == "over":
        return _unbegun("infrastructure", "container_failed", f"Its container did not start: {one.message}.")
    is_late = lease.age > limits.of_beginning(one.state)
    if one.state == "waiting":
        why = one.message or "no reason given"
        if is_late:
            message = f"It waited {lease.age:.0f} s for a node: {why}."
            return Over("resource", NO_PLACE, message, unbegun=True, is_final=True)
        return Alive(f"Waiting for a node: {why}")
    if one.state == "preparing":
        if is_late or seen_for > limits.pull:
            message = f"Node {one.node} did not get the image {lease.image} within {limits.pull:.0f} s."
            return _unbegun("infrastructure", "image_slow", message)
        return Alive(f"Node {one.node} prepares the container")
    if is_late or seen_for > limits.begin:
        message = f"Its container runs on {one.node}, and its guard has not begun: can it reach the database?"
        return _unbegun("infrastructure", "guard_silent", message)
    return Alive()


def _unbegun(source: Source, code: str, message: str) -> Over:
    return Over(source, code, message, unbegun=True)
