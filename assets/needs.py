"""What steps that learn or predict ask of the machine they run on."""

from cv_pipelines.settings import load_settings

LEARNING, PREDICTION = "learning", "prediction"
"""Pools: `dagster instance concurrency set learning 2` lets no more than two steps learn at once, anywhere."""


def gpu_tags() -> dict[str, str]:
    """As many GPUs as CV_GPUS says; the tier of worker nodes finds a node that has them."""
    gpus = load_settings().gpus
    return {"cv/gpus": str(gpus)} if gpus else {}
