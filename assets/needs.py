"""What heavy steps ask of the machine they run on."""

from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.settings import load_settings

LEARNING, PREDICTION, MOTION = "learning", "prediction", "motion"
"""Pools: `dagster instance concurrency set learning 2` lets no more than two steps learn at once, anywhere."""


def gpu_tags() -> dict[str, str]:
    """As many GPUs as CV_GPUS says; the tier of worker nodes finds a node that has them."""
    gpus = load_settings().gpus
    return {"cv/gpus": str(gpus)} if gpus else {}


def motion_tags() -> dict[str, str]:
    """As many cores as CV_MOTION_CPUS says; they should be those that CV_WORKERS on the nodes counts on."""
    cpus = load_motion_settings().cpus
    return {"cv/cpus": f"{cpus:g}"} if cpus else {}
