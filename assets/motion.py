"""How cameras move in the videos of the archive, and what can be seen where they rest."""

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetExecutionContext,
    DynamicOut,
    DynamicOutput,
    In,
    MaterializeResult,
    MetadataValue,
    Nothing,
    OpExecutionContext,
    Out,
    Output,
    asset,
    config_mapping,
    graph_asset,
    op,
)
from pydantic import Field

from assets.needs import MOTION, motion_tags
from assets.results import COMMON, materialized, numbers, output_of, picture, table
from cv_pipelines.execution.failures import STEP_RETRIES, mapped_errors
from cv_pipelines.execution.parameters import StepConfig
from cv_pipelines.execution.progress import StepProgress
from cv_pipelines.images.contact_sheet import MAX_BYTES
from cv_pipelines.motion.artefacts.motion import analyse_share, begin_motion, finish_motion
from cv_pipelines.motion.artefacts.regions import REGIONS_VERSION, make_regions
from cv_pipelines.motion.artefacts.thumbnails import THUMBNAILS_VERSION, make_thumbnails
from cv_pipelines.motion.artefacts.video import VIDEO_VERSION, catalogue_video
from cv_pipelines.motion.parameters import CODE_VERSION, MotionParameters
from cv_pipelines.motion.regions import REGIONS, region_rows
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.partitions import VIDEOS
from cv_pipelines.reports.motion_pictures import chosen_for_proof, contact_sheet_of, proof_of
from cv_pipelines.reports.motion_timeline import timeline
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.videos.archive import named_video
from resources.catalog import CatalogResource
from resources.machine import MachineResource


class ForceConfig(StepConfig):
    """What a person may ask of a step."""

    force: bool = Field(False, description="Do it again though it is done.")


class MotionConfig(ForceConfig, MotionParameters):
    """What a person may set about an analysis."""

    def parameters(self) -> MotionParameters:
        """The part that decides the result."""
        return MotionParameters(**self.model_dump(include=set(MotionParameters.model_fields)))


class RegionsConfig(ForceConfig):
    """What a person may set about regions."""

    thresholds: dict[str, float] = Field({}, description="Instead of those that CV_MOTION_… set: pan_speed, …")


@asset(group_name="motion", kinds={"parquet"}, partitions_def=VIDEOS, code_version=VIDEO_VERSION, **COMMON)
def video_catalog(
    context: AssetExecutionContext, config: ForceConfig, catalog: CatalogResource
) -> MaterializeResult[Reference]:
    """What a video is: length, frames, exact rate, size, codec, time of its making; a bad one is in quarantine."""
    with mapped_errors():
        outcome = catalogue_video(catalog.open(), context.partition_key, config.force)
        facts = outcome.bundle.facts
        words = {name: MetadataValue.text(str(value)) for name, value in facts.items() if value not in (None, "")}
        return materialized(outcome, words | numbers(facts))


@op(
    out=DynamicOut(Nothing),
    retry_policy=STEP_RETRIES,
    description="Names the shares of a video that are to be analysed, all at once; none where that is done.",
)
def plan_motion_shares(
    config: MotionConfig, catalog: CatalogResource, video_catalog: Reference
) -> Iterator[DynamicOutput[None]]:
    """Name the shares; a name is all that is handed on."""
    with mapped_errors():
        shares = begin_motion(catalog.open(), video_catalog, config.parameters(), config.force)
    for share in shares:
        yield DynamicOutput(None, mapping_key=share)


@op(
    ins={"share": In(Nothing)},
    out=Out(Nothing),
    retry_policy=STEP_RETRIES,
    pool=MOTION,
    tags=motion_tags(),
    description="Analyses what of a share nobody has analysed yet, chunk by chunk.",
)
def analyse_motion_share(
    context: OpExecutionContext,
    config: MotionConfig,
    catalog: CatalogResource,
    machine: MachineResource,
    video_catalog: Reference,
) -> None:
    """Analyse the share that the step's mapping key names."""
    with mapped_errors():
        share, listen = context.get_mapping_key() or "", StepProgress(context, catalog.open().database)
        parameters = config.parameters()
        frames = analyse_share(catalog.open(), video_catalog, parameters, share, machine.workers, listen)
        context.log.info(f"Share {share}: {frames:,} frames.")


@op(
    ins={"shares": In(Nothing)},
    retry_policy=STEP_RETRIES,
    description="Puts together what the shares have found.",
)
def merge_motion_shares(
    config: MotionConfig, catalog: CatalogResource, video_catalog: Reference
) -> Output[Reference]:
    """Make the artefact, or find it."""
    with mapped_errors():
        outcome = finish_motion(catalog.open(), video_catalog, config.parameters())
        facts = outcome.bundle.facts
        reasons = [{"reason": reason, "intervals": count} for reason, count in facts["reasons"].items()]
        preview = timeline(outcome.bundle.table("intervals"), REGIONS.empty_table())
        return output_of(outcome, {"preview": picture(preview), "no motion": table(reasons), **numbers(facts)})


@config_mapping
def _for_all(config: MotionConfig) -> dict[str, object]:
    """One configuration, in the place of the asset's."""
    steps = (plan_motion_shares, analyse_motion_share, merge_motion_shares)
    return {step.name: {"config": config.model_dump()} for step in steps}


@graph_asset(
    group_name="motion",
    kinds={"opencv", "parquet"},
    partitions_def=VIDEOS,
    code_version=CODE_VERSION,
    owners=COMMON["owners"],
    config=_for_all,
)
def camera_motion(video_catalog: Reference) -> Output[Reference]:
    """How the camera moves from frame to frame: scale, rotation, translation, and how sure that is."""
    done = plan_motion_shares(video_catalog).map(
        lambda share: analyse_motion_share(video_catalog=video_catalog, share=share)
    )
    merged: Output[Reference] = merge_motion_shares(video_catalog=video_catalog, shares=done.collect())
    return merged


@asset(group_name="motion", kinds={"parquet"}, partitions_def=VIDEOS, code_version=REGIONS_VERSION, **COMMON)
def motion_regions(
    config: RegionsConfig, catalog: CatalogResource, camera_motion: Reference
) -> MaterializeResult[Reference]:
    """Stretches in which the camera does one thing: it rests, pans, zooms, rolls, shakes."""
    with mapped_errors():
        cat, limits = catalog.open(), load_motion_settings().thresholds(config.thresholds)
        outcome = make_regions(cat, camera_motion, limits, config.force)
        regions, facts = outcome.bundle.table("regions"), outcome.bundle.facts
        kinds = [{"kind": kind, "frames": count} for kind, count in facts["frames_by_kind"].items()]
        metadata = {
            "preview": picture(timeline(cat.open(camera_motion).table("intervals"), regions)),
            "kinds": table(kinds),
            "first regions": table(region_rows(regions.slice(0, 100))),
            "thresholds": MetadataValue.json(facts["thresholds"]),
            **numbers({f"seconds_{kind}": seconds for kind, seconds in facts["seconds_by_kind"].items()}),
        }
        return materialized(outcome, metadata | numbers(facts))


@asset(group_name="motion", kinds={"pillow"}, partitions_def=VIDEOS, code_version=THUMBNAILS_VERSION, **COMMON)
def static_thumbnails(
    context: AssetExecutionContext,
    config: ForceConfig,
    catalog: CatalogResource,
    machine: MachineResource,
    video_catalog: Reference,
    motion_regions: Reference,
) -> MaterializeResult[Reference]:
    """The middle frame of each stretch in which the camera rests: what can be compared across months."""
    with mapped_errors():
        listen, inputs = StepProgress(context, catalog.open().database), (video_catalog, motion_regions)
        outcome = make_thumbnails(catalog.open(), *inputs, machine.workers, listen, config.force)
        preview = picture(contact_sheet_of(outcome.bundle), "image/jpeg")
        return materialized(outcome, {"preview": preview, **numbers(outcome.bundle.facts)})


class ProofConfig(StepConfig):
    """Which videos a person wants to see side by side."""

    videos: list[str] = Field([], description="Keys or addresses, in the order of the rows; empty: some of all.")
    pattern: str = Field("*", description="Of all: those with such file names, as in pier*.")
    most: int = Field(12, ge=1, le=48, description="Of all: how many, evenly over the time.")


@asset(group_name="motion", kinds={"pillow"}, deps=[static_thumbnails], code_version="1", **COMMON)
def static_proof(config: ProofConfig, catalog: CatalogResource) -> MaterializeResult[Any]:
    """Where the cameras of several videos rest, side by side, to be compared across months; made on demand."""
    with mapped_errors():
        cat = catalog.open()
        chosen = [named_video(cat.database, name) for name in config.videos]
        videos = chosen or chosen_for_proof(cat, config.pattern, config.most)
        names = [{"video": video.key, "changed": str(video.modified_at or "")} for video in videos]
        preview = picture(proof_of(cat, videos, MAX_BYTES), "image/jpeg")
        return MaterializeResult(metadata={"preview": preview, "videos": table(names)})


MOTION_ASSETS = [video_catalog, camera_motion, motion_regions, static_thumbnails, static_proof]
