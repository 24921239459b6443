"""Where everything meets, and the only place."""

from cv_pipelines.garbage import collect_rarely

collect_rarely()  # before all that is imported

from dagster import AssetSelection, Definitions, EnvVar

from assets.active_learning import label_queue
from assets.annotations import dataset_splits, labels
from assets.checks import DATASET_CHECKS, VIDEO_CHECKS
from assets.datasets import image_manifest
from assets.detections import detection_evaluation
from assets.inference import image_embeddings, prediction_drift, predictions
from assets.models import champion_model, model_evaluation, trained_model
from assets.motion import MOTION_ASSETS
from assets.tasks import task_predictions
from cv_pipelines.execution.tiers import executor_for
from cv_pipelines.jobs import FOR_TASKS, analyse_motion, ask, evaluate_detections, judge, label, learn, loop, sync
from cv_pipelines.schedules import weekly_retraining
from cv_pipelines.settings import load_settings
from resources.catalog import CatalogResource
from resources.database import DatabaseResource
from resources.machine import MachineResource
from resources.manifest_io import ManifestIOManager
from resources.store import StoreResource
from resources.tasks import make_tasks_resource
from resources.webhook import WebhookResource
from sensors.new_data import make_new_data_sensor
from sensors.new_labels import make_label_sensor
from sensors.run_failure import make_run_failure_sensor
from sensors.task_events import make_event_sensor
from sensors.tasks import make_task_sensor
from sensors.watch_sources import make_watch_sensor
from sensors.watch_videos import make_video_sensor

settings = load_settings()
database = DatabaseResource(url=settings.database)
catalog = CatalogResource(database=database, store=StoreResource(url=settings.store))

defs = Definitions(
    assets=[
        image_manifest,
        labels,
        dataset_splits,
        trained_model,
        model_evaluation,
        champion_model,
        predictions,
        prediction_drift,
        image_embeddings,
        label_queue,
        task_predictions,
        detection_evaluation,
        *MOTION_ASSETS,
    ],
    asset_checks=[*DATASET_CHECKS, *VIDEO_CHECKS],
    jobs=[loop, label, learn, judge, ask, evaluate_detections, *FOR_TASKS],
    schedules=[weekly_retraining],
    sensors=[
        make_new_data_sensor(AssetSelection.groups("annotations", "models", "inference")),
        make_label_sensor([learn, judge, ask], settings.retrain_after_labels),
        make_run_failure_sensor(str(settings.ui_url)),
        make_watch_sensor(sync),
        make_video_sensor(analyse_motion, settings.video_sources),
        make_task_sensor(FOR_TASKS),
        make_event_sensor(settings.run_days, settings.state / "logs"),
    ],
    resources={
        "catalog": catalog,
        "io_manager": ManifestIOManager(catalog=catalog),
        "machine": MachineResource(workers=settings.workers, cache=str(settings.cache)),
        "tasks": make_tasks_resource(settings, database),
        "webhook": WebhookResource(url=EnvVar("CV_FAILURE_WEBHOOK") if settings.failure_webhook else ""),
    },
    executor=executor_for(settings),
)
