"""The partitions of assets: data sets and videos, added by name while the platform runs."""

from dagster import DynamicPartitionsDefinition

DATASETS = DynamicPartitionsDefinition(name="dataset")
VIDEOS = DynamicPartitionsDefinition(name="video")
"""By their keys in the archive (cv_pipelines/videos/archive.py)."""
