"""What a person sets about a step, in the launchpad."""

from typing import Any

from dagster import Config

from cv_pipelines.execution.failures import mapped_errors


class StepConfig(Config):
    """A Config whose limits, where broken, are the caller's mistake: told in words and not tried again."""

    def __init__(self, **values: Any) -> None:
        with mapped_errors():
            super().__init__(**values)
