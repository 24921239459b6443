"""Videos of an archive with results that nobody had to work out."""

from cv_pipelines.catalog import Catalog
from cv_pipelines.motion.artefacts.regions import regions_inputs
from cv_pipelines.motion.parameters import MotionParameters
from cv_pipelines.motion.results import MOTION, MOTION_REGIONS, USUAL, motion_inputs
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.storage.bundles import Reference, put_bundle
from cv_pipelines.videos.archive import ArchivedVideo, find_video_of_archive, register_videos
from cv_pipelines.videos.listing import ListedVideo


def register(catalog: Catalog, address: str, stamp: str = "1") -> ArchivedVideo:
    """Enter a video, or another version of it."""
    listed = ListedVideo(address, address, 5, stamp=stamp)
    ((registered,),) = register_videos(catalog.database, [listed])
    return registered.video


def analyse(
    catalog: Catalog,
    name: str,
    parameters: MotionParameters = USUAL,
    frames: int = 100,
    static: float = 0.5,
    invalid: float = 0,
) -> Reference:
    """Publish a result of a video as it is now, by its key or address; returns that of its motion."""
    video = find_video_of_archive(catalog.database, name)
    inputs = motion_inputs(video.address, video.stamp, parameters)
    facts = {"frames": frames, "invalid_share": invalid}
    made = catalog.once(MOTION, inputs, lambda _: put_bundle(catalog.store, MOTION, str(frames), facts, {}))
    catalog.publish(MOTION, video.key, made.reference)
    if invalid <= load_motion_settings().invalid_share:
        analyse_regions(catalog, video, made.reference, static)
    return made.reference


def analyse_regions(catalog: Catalog, video: ArchivedVideo, motion: Reference, static: float) -> None:
    """Publish regions of a video."""
    facts = {"static_share": static, "motion": motion.version}
    inputs = regions_inputs(motion, load_motion_settings().thresholds())
    made = catalog.once(
        MOTION_REGIONS, inputs, lambda _: put_bundle(catalog.store, MOTION_REGIONS, motion.version, facts, {})
    )
    catalog.publish(MOTION_REGIONS, video.key, made.reference)
