"""What a step asks of the node that it runs on, by its tags."""

from collections.abc import Mapping
from dataclasses import dataclass

from cv_pipelines.errors import InputError

MAX_WAIT_SECONDS = 3600.0


@dataclass(frozen=True)
class Needs:
    """What a step asks for.

    Attributes:
        gpus: how many (`cv/gpus`).
        memory_gb: in GB, 10⁹ bytes (`cv/memory_gb`); also its limit. None: whatever there is.
        cpus: cores (`cv/cpus`); also its limit. None: whatever there are.
        node_labels: that its node must have (`cv/node_labels`: `name=value,…`).
        max_wait_s: seconds that it may wait for a node (`cv/max_wait_s`).
        timeout_s: seconds that it may run (`cv/timeout_s`); None: as long as its run may.
    """

    gpus: int = 0
    memory_gb: float | None = None
    cpus: float | None = None
    node_labels: tuple[tuple[str, str], ...] = ()
    max_wait_s: float = MAX_WAIT_SECONDS
    timeout_s: float | None = None


def needs_of(tags: Mapping[str, str]) -> Needs:
    """Read a step's tags; give `{**step_tags, **run_tags}` where a run overrides its steps.

    Raises:
        InputError: a tag does not hold what it must.
    """
    labels = [part.partition("=") for part in tags.get("cv/node_labels", "").split(",") if part.strip()]
    if any(not name.strip() or not given for name, given, _ in labels):
        raise InputError("needs", f"The tag cv/node_labels is '{tags['cv/node_labels']}', and not name=value,…")
    gpus = _number(tags, "cv/gpus")
    if gpus is not None and gpus != int(gpus):
        raise InputError("needs", f"The tag cv/gpus is '{tags['cv/gpus']}', and not a whole number.")
    wait = _number(tags, "cv/max_wait_s")
    return Needs(
        gpus=int(gpus or 0),
        memory_gb=_number(tags, "cv/memory_gb") or None,
        cpus=_number(tags, "cv/cpus") or None,
        node_labels=tuple((name.strip(), value.strip()) for name, _, value in labels),
        max_wait_s=MAX_WAIT_SECONDS if wait is None else wait,
        timeout_s=_number(tags, "cv/timeout_s") or None,
    )


def _number(tags: Mapping[str, str], name: str) -> float | None:
    text = tags.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise InputError("needs", f"The tag {name} is '{text}', and not a number from 0.")
    return value
