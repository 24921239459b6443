"""Models: trained, judged, and promoted where they are not worse."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset
from pydantic import Field

from assets.automation import ON_NEW_DATA
from assets.needs import LEARNING, gpu_tags
from assets.results import COMMON, Metadata, materialized, numbers, picture, table
from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError, ResourceError
from cv_pipelines.execution.attempts import attempt_of, failures_of
from cv_pipelines.execution.failures import mapped_errors
from cv_pipelines.execution.parameters import StepConfig
from cv_pipelines.execution.progress import StepProgress
from cv_pipelines.models.evaluation import evaluate
from cv_pipelines.models.metrics import slice_rows
from cv_pipelines.models.names import name_model
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.promotion import consider
from cv_pipelines.models.training import code_version, train
from cv_pipelines.partitions import DATASETS
from cv_pipelines.reports.figures import confusion_matrix, reliability, training_curves
from cv_pipelines.storage.bundles import Reference
from cv_pipelines.tasks.ledger.queries import submitter
from resources.catalog import CatalogResource
from resources.machine import MachineResource


class TrainingConfig(StepConfig, TrainingParameters):
    """What a person may set about a training, and what they call the model: it is the same by any name."""

    name: str = Field("", description="Saves the model under this name; empty: under its version alone.")


@asset(
    group_name="models",
    kinds={"keras"},
    partitions_def=DATASETS,
    code_version=code_version(),
    automation_condition=ON_NEW_DATA,
    pool=LEARNING,
    op_tags=gpu_tags(),
    **COMMON,
)
def trained_model(
    context: AssetExecutionContext,
    config: TrainingConfig,
    catalog: CatalogResource,
    machine: MachineResource,
    image_manifest: Reference,
    labels: Reference,
    dataset_splits: Reference,
) -> MaterializeResult[Reference]:
    """A classifier, trained once per data, labels, code and parameters."""
    with mapped_errors():
        cat, parameters = catalog.open(), TrainingParameters(**config.model_dump(exclude={"name"}))
        halvings = failures_of(context, ResourceError)
        inputs = (image_manifest, labels, dataset_splits)
        listen = StepProgress(context, cat.database)
        outcome = train(cat, *inputs, parameters, machine.cache_folder(), halvings, listen, listen.epochs)
        card = outcome.bundle.facts
        listen.all_epochs(card["history"])
        metadata = {
            "preview": picture(training_curves(card["history"])),
            "architecture": MetadataValue.text(card["architecture"]),
            "model_version": MetadataValue.text(outcome.reference.version),
            "parameters": MetadataValue.json(card["parameters"]),
            **({"tried": table(card["tried"])} if len(card["tried"]) > 1 else {}),
            **_named(context, cat, config.name, outcome),
        }
        final = {"epochs": len(card["history"]), "image_size": card["image_size"], **card["history"][-1]}
        return materialized(outcome, metadata | numbers(final) | numbers(card))


def _named(context: AssetExecutionContext, catalog: Catalog, name: str, outcome: Outcome) -> Metadata:
    """Save a model under a name, if it is to have one; it is not lost where another has the name by now."""
    if not name:
        return {}
    who = submitter(catalog.database, attempt_of(context)) or f"run {context.run.run_id}"
    try:
        name_model(catalog.database, context.partition_key, outcome.reference, name, who)
    except InputError as error:
        context.log.warning(error.user_message)
        return {"name": MetadataValue.text(f"none: {error.user_message}")}
    return {"name": MetadataValue.text(name)}


@asset(
    group_name="models",
    kinds={"scikitlearn"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    **COMMON,
)
def model_evaluation(
    context: AssetExecutionContext,
    catalog: CatalogResource,
    image_manifest: Reference,
    labels: Reference,
    dataset_splits: Reference,
    trained_model: Reference,
) -> MaterializeResult[Reference]:
    """The new model on the present test split: accuracy, classes, slices, calibration."""
    with mapped_errors():
        inputs = (image_manifest, labels, dataset_splits)
        cat = catalog.open()
        outcome = evaluate(cat, trained_model, *inputs, StepProgress(context, cat.database))
        facts = outcome.bundle.facts
        matrix = facts["confusion"]
        metadata = {
            "preview": picture(confusion_matrix(matrix["classes"], matrix["counts"])),
            "calibration": picture(reliability(facts["calibration"]["bins"])),
            "slices": table(slice_rows(facts["slices"])),
            "calibration_error": MetadataValue.float(facts["calibration"]["error"]),
        }
        return materialized(outcome, metadata | numbers(facts))


@asset(
    group_name="models",
    kinds={"keras"},
    partitions_def=DATASETS,
    code_version="1",
    automation_condition=ON_NEW_DATA,
    **COMMON,
)
def champion_model(
    context: AssetExecutionContext,
    catalog: CatalogResource,
    image_manifest: Reference,
    labels: Reference,
    dataset_splits: Reference,
    trained_model: Reference,
    model_evaluation: Reference,
) -> MaterializeResult[Reference]:
    """The model that predictions are made with: the new one where it is not worse than the one before."""
    with mapped_errors():
        cat, dataset = catalog.open(), context.partition_key
        inputs = (image_manifest, labels, dataset_splits)
        champion, answer = consider(
            cat, dataset, trained_model, *inputs, f"run {context.run.run_id}", StepProgress(context, cat.database)
        )
        if champion is None:
            raise InputError("no_champion", f"'{dataset}' has no champion. {' '.join(answer.reasons)}")
        kept = "promoted" if champion == trained_model else f"not promoted, {champion.version} stays champion"
        metadata = {
            "decision": MetadataValue.text(answer.decision),
            "verdict": MetadataValue.text(f"{trained_model.version} {kept}: {' '.join(answer.reasons)}"),
            "champion": MetadataValue.text(champion.version),
            "challenger": MetadataValue.text(trained_model.version),
        }
        stood = cat.current("champion_model", dataset) == trained_model
        if stood:
            del metadata["verdict"]
        return materialized(Outcome(champion, cat.open(champion), reused=stood), metadata)
