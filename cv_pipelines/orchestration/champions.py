"""A person names the champion: the registry, the catalog and the UI all know of it afterwards."""

from dagster import DagsterInstance

from cv_pipelines.catalog import Catalog
from cv_pipelines.models.promotion import newest_figures
from cv_pipelines.models.registry import Model, promote
from cv_pipelines.orchestration.materializations import report_champion


def name_champion(catalog: Catalog, instance: DagsterInstance, model: Model, who: str, why: str) -> str | None:
    """Make a model the champion of its data set, whatever the gate says; returns the version of the one before."""
    before = promote(catalog.database, model, "champion", who, why, newest_figures(catalog, model))
    publish_champion(catalog, instance, model)
    return before


def publish_champion(catalog: Catalog, instance: DagsterInstance, model: Model) -> None:
    """Let assets and the UI know who is champion now."""
    catalog.publish("champion_model", model.dataset, model.reference)
    report_champion(instance, model.dataset, model.version)
