"""What an installation says about camera motion, by environment variables.

They stand here, beside the thresholds that they set, and not with the settings of everything else, which know
nothing of motion.
"""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from cv_pipelines.motion.thresholds import Thresholds
from cv_pipelines.settings import read_settings


class MotionSettings(BaseSettings, Thresholds):
    """Each field is the environment variable `CV_MOTION_<NAME>`: the thresholds of regions, and the following."""

    model_config = SettingsConfigDict(env_prefix="CV_MOTION_", env_ignore_empty=True, frozen=True)

    invalid_share: float = Field(
        0.2, ge=0, le=1, description="Share of intervals without known motion from which a video fails its check."
    )
    cpus: float = Field(
        0, ge=0, description="Cores that a step which analyses asks for on a worker node; 0: whatever there are."
    )

    def thresholds(self, others: Mapping[str, float] | None = None) -> Thresholds:
        """From which speeds on a camera moves.

        Args:
            others: take the place of the settings.

        Raises:
            ValidationError: there is no such threshold, or it cannot be that.
        """
        return Thresholds(**self.model_dump(include=set(Thresholds.model_fields)) | dict(others or {}))


@lru_cache(maxsize=1)
def load_motion_settings() -> MotionSettings:
    """Read them once per process.

    Raises:
        InputError: a variable does not hold what it must.
    """
    return read_settings(MotionSettings)
