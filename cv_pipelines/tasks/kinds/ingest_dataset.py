"""`ingest_dataset`: look at the source of a data set, take in what is new, check it."""

from cv_pipelines.tasks.kinds.dataset_assets import DatasetParams, DatasetResult
from cv_pipelines.tasks.kinds.protocol import TaskKind

KIND = TaskKind(
    name="ingest_dataset",
    description="Ingest and check what the source of a data set holds now.",
    params=DatasetParams,
    result=DatasetResult,
    job="sync",
)
