"""Acting on the assets' automation conditions."""

from dagster import AssetSelection, AutomationConditionSensorDefinition


def make_new_data_sensor(target: AssetSelection) -> AutomationConditionSensorDefinition:
    """A sensor that trains, judges and predicts as soon as data have another version; off until switched on."""
    return AutomationConditionSensorDefinition(
        "retrain_on_new_data",
        target=target,
        description="Trains as soon as a data set has another version and its blocking checks have passed.",
    )
