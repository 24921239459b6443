"""`predict_dataset`: predictions of the champion for every image of a data set."""

from cv_pipelines.tasks.kinds.dataset_assets import DatasetParams, DatasetResult
from cv_pipelines.tasks.kinds.protocol import TaskKind

KIND = TaskKind(
    name="predict_dataset",
    description="Predict every image of a data set with its champion model.",
    params=DatasetParams,
    result=DatasetResult,
    job="predict",
)
