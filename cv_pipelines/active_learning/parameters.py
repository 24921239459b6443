"""What a person may set about which images are asked for."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

StrategyName = Literal[
    "random",
    "close_to_threshold",
    "classes_based",
    "detections_number_based",
    "entropy",
    "margin",
    "diverse",
]
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)


class QueueParameters(BaseModel):
    """Which images are asked for, how many, and by what; kept in the facts of the queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategies: dict[str, float] = Field(
        {"margin": 0.6, "diverse": 0.3, "random": 0.1},
        description=f"Share of the queue that each strategy fills, in this order; of {', '.join(STRATEGIES)}.",
    )
    size: int = Field(100, ge=1, le=10_000, description="Images in the queue, at most.")
    seed: int = Field(0, ge=0, description="Draws at random, and decides between images that are worth the same.")
    per_day: int = Field(0, ge=0, description="Images asked for in a day (UTC), over all its queues; 0: no limit.")
    per_class: int = Field(0, ge=0, description="Images of one predicted class in a queue; 0: no limit.")
    classes: list[str] = Field(
        [], description="Predicted classes that classes_based asks for; close_to_threshold looks at no others."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="Of close_to_threshold: of the probability.")
    within: float = Field(0.1, gt=0, le=1, description="Of close_to_threshold: how far from it at most.")
    fewest: int = Field(1, ge=0, description="Of detections_number_based: objects at least.")
    most: int = Field(1_000_000, ge=0, description="Of detections_number_based: objects at most.")
    score: float = Field(0.5, description="Of detections_number_based: score from which on a detection counts.")

    @field_validator("strategies")
    @classmethod
    def _known(cls, given: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(given) - set(STRATEGIES))
        if unknown:
            raise ValueError(f"there is no strategy '{unknown[0]}'; there are: {', '.join(STRATEGIES)}")
        if not given or not all(0 < share < 1e6 for share in given.values()):
            raise ValueError("name at least one strategy, each with a share above 0")
        return given
