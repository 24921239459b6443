"""The partitions of assets: data sets, added by name while the platform runs."""

from dagster import DynamicPartitionsDefinition

DATASETS = DynamicPartitionsDefinition(name="dataset")
