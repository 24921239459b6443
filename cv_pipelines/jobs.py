"""The jobs."""

from dagster import AssetSelection, define_asset_job, job

from assets.tasks import classify_task_images, exercise_tasks
from cv_pipelines.execution.failures import STEP_RETRIES

loop = define_asset_job(
    "loop",
    AssetSelection.groups("datasets", "annotations", "models", "inference"),
    description="A data set from its source to predictions: ingest, check, split, train, judge, promote, predict.",
    op_retry_policy=STEP_RETRIES,
)

sync = define_asset_job(
    "sync",
    AssetSelection.assets("image_manifest"),
    description="A look at the source of a data set: ingest and check, and nothing that follows from it.",
    op_retry_policy=STEP_RETRIES,
)

label = define_asset_job(
    "label",
    AssetSelection.assets("labels"),
    description="A version of the labels as they stand now, checked; nothing is trained.",
    op_retry_policy=STEP_RETRIES,
)

train = define_asset_job(
    "train",
    AssetSelection.groups("annotations", "models") - AssetSelection.assets("label_queue"),
    description="From what was ingested to labels, splits, a model, its evaluation, and its promotion.",
    op_retry_policy=STEP_RETRIES,
)

learn = define_asset_job(
    "learn",
    AssetSelection.groups("annotations", "models", "inference"),
    description="A round of active learning: from labels to a model, its promotion, and what to label next.",
    op_retry_policy=STEP_RETRIES,
)

judge = define_asset_job(
    "judge",
    (AssetSelection.groups("models", "inference") | AssetSelection.assets("label_queue"))
    - AssetSelection.assets("trained_model"),
    description="The rest of a round whose model is trained: its evaluation, its promotion, what to label next.",
    op_retry_policy=STEP_RETRIES,
)

ask = define_asset_job(
    "ask",
    AssetSelection.assets("label_queue"),
    description="Which images to label next, by what is known of them now; nothing is trained.",
    op_retry_policy=STEP_RETRIES,
)

predict = define_asset_job(
    "predict",
    AssetSelection.assets("predictions", "prediction_drift", "image_embeddings"),
    description="What the champion says about every image of a data set, and whether it still may.",
    op_retry_policy=STEP_RETRIES,
)

evaluate_detections = define_asset_job(
    "evaluate_detections",
    AssetSelection.groups("detections"),
    description="What was detected, by whatever program, held against the labels of a data set.",
    op_retry_policy=STEP_RETRIES,
)

analyse_motion = define_asset_job(
    "analyse_motion",
    AssetSelection.groups("motion") - AssetSelection.assets("static_proof"),
    description="A video of the archive: what it is, how its camera moves, where it rests, what is seen there.",
    op_retry_policy=STEP_RETRIES,
)


@job(description="Many tasks of the kind classify_images in one run; started by the sensor `tasks`.")
def classify_images() -> None:
    """Classify the images of tasks."""
    classify_task_images()


@job(description="Many tasks of the kinds sleep and fail in one run; started by the sensor `tasks`.")
def exercise() -> None:
    """Sleep and fail."""
    exercise_tasks()


FOR_TASKS = (sync, train, predict, analyse_motion, classify_images, exercise)
"""The jobs of all kinds of tasks."""
