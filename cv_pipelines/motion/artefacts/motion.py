"""The camera motion of a video as an artefact, worked out in shares that several machines may do.

Who does a share is told its name, and nothing else: the shares of a video follow from the list of its frames, and
what they find is handed over through the object store, chunk by chunk.
"""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.hashing import VERSION_LENGTH, hash_rows, hash_values
from cv_pipelines.motion.analysis import (
    MotionPlan,
    analyse_chunks,
    checkpoints_of,
    forget_chunks,
    merged,
    missing_chunks,
    parquet_bytes,
    plan_motion,
)
from cv_pipelines.motion.artefacts.video import frames_of, video_of
from cv_pipelines.motion.grey_pictures import halvings
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.plan import Chunk
from cv_pipelines.motion.published.motion_files import motion_json
from cv_pipelines.motion.published.samples import STRIDES
from cv_pipelines.motion.results import MOTION, motion_inputs
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_part

SHARE_CHUNKS = 32
"""Of a share: about 8,000 frames, a minute or two of work, against some seconds that a step costs."""


def begin_motion(
    catalog: Catalog, entry: Reference, parameters: MotionParameters, force: bool = False
) -> list[str]:
    """See what is to be done for a video.

    Args:
        catalog: where artefacts are.
        entry: the video, of the kind `video_catalog`.
        parameters: of the analysis.
        force: forget what is known of it.

    Returns:
        The names of the shares that have to be analysed, none where the artefact is there; a share of which some
        chunks have been analysed before is one of them.

    Raises:
        InputError: the video is not there any more, has changed, or has too few frames.
        InfrastructureError: its server does not answer now.
    """
    video = catalog.open(entry)
    # of a video without a stamp nobody knows whether it is still the same
    force = force or not video.facts["stamp"]
    if not force and catalog.made(MOTION, _inputs(video, parameters)):
        return []
    plan = _plan(video, parameters)
    if force:
        forget_chunks(plan, catalog.store)
    missing = {chunk.number for chunk in missing_chunks(plan, catalog.store)}
    return [name for name, chunks in _shares(plan).items() if any(chunk.number in missing for chunk in chunks)]


def analyse_share(
    catalog: Catalog,
    entry: Reference,
    parameters: MotionParameters,
    share: str,
    workers: int,
    progress: Progress = silent,
) -> int:
    """Analyse those chunks of a share that nobody has analysed yet.

    Args:
        catalog: where artefacts are.
        entry: the video, of the kind `video_catalog`.
        parameters: of the analysis.
        share: its name, as `begin_motion` gives it.
        workers: processes.
        progress: told of frames.

    Returns:
        How many frames were looked at.

    Raises:
        InputError: the video is not there any more, or has changed.
        InfrastructureError: its server does not answer now.
    """
    plan = _plan(catalog.open(entry), parameters)
    chunks = _shares(plan)[share]
    return sum(chunk.new for chunk in analyse_chunks(plan, chunks, catalog.store, workers, progress))


def finish_motion(catalog: Catalog, entry: Reference, parameters: MotionParameters) -> Outcome:
    """Put together what the shares have found; without any, the artefact stands that is there.

    Returns:
        An artefact with the part `intervals` (INTERVALS with MotionFacts), `published` too where the stride allows
        it, and the facts `intervals`, `invalid_share`, `reasons` (how many intervals have no motion, and why),
        `frames`, `width`, `height`, `stride`, `first`, `last` (the frames that were asked for).

    Raises:
        InfrastructureError: some of it is gone.
    """
    video = catalog.open(entry)
    inputs = _inputs(video, parameters)
    found = any(True for _ in catalog.store.objects(checkpoints_of(inputs["motion"])))
    # where there is nothing to put together, nobody needs the video any more
    plan = _plan(video, parameters) if found else None
    is_complete = plan is not None and not missing_chunks(plan, catalog.store)

    def make(_: str) -> Reference:
        if plan is None or not is_complete:
            message = f"Chunks of '{video.facts['address']}' are gone: materialize its camera_motion again."
            raise InfrastructureError("lost_chunks", message)
        return _kept(catalog, merged(plan, catalog.store), plan, video, parameters)

    outcome = catalog.once(MOTION, inputs, make, settled=lambda _: not is_complete)
    if plan is not None:
        forget_chunks(plan, catalog.store)
    return outcome


def _inputs(entry: Bundle, parameters: MotionParameters) -> dict[str, str]:
    return motion_inputs(entry.facts["address"], entry.facts["stamp"], parameters)


def _plan(entry: Bundle, parameters: MotionParameters) -> MotionPlan:
    return plan_motion(video_of(entry), parameters, frames_of(entry))


def _shares(plan: MotionPlan) -> dict[str, Sequence[Chunk]]:
    starts = range(0, len(plan.chunks), SHARE_CHUNKS)
    return {f"{place:04d}": plan.chunks[start : start + SHARE_CHUNKS] for place, start in enumerate(starts)}


def _kept(
    catalog: Catalog, table: pa.Table, plan: MotionPlan, video: Bundle, parameters: MotionParameters
) -> Reference:
    reasons = Counter(reason for reason in table["reason"].to_pylist() if reason)
    facts = {
        "intervals": len(table),
        "invalid_share": sum(reasons.values()) / max(1, len(table)),
        "reasons": dict(sorted(reasons.items())),
        "frames": plan.facts.frames,
        "width": plan.facts.width,
        "height": plan.facts.height,
        "stride": parameters.stride,
        "first": parameters.start,
        "last": min(parameters.stop or plan.facts.frames, plan.facts.frames),
    }
    parts = {"intervals": put_part(catalog.store, parquet_bytes(table), ".parquet")}
    if parameters.stride in STRIDES:
        times = halvings(plan.facts.width, plan.facts.height, video.facts["is_interlaced"])
        parts["published"] = put_part(catalog.store, motion_json(table, image_scale=1 / (1 << times)), ".json")
    version = hash_values({"rows": hash_rows(table), "facts": plan.facts.metadata()})[:VERSION_LENGTH]
    return put_bundle(catalog.store, MOTION, version, facts, parts)
