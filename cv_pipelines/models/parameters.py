"""What a person may set about a training."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingParameters(BaseModel):
    """Parameters of one training; kept in the model's card."""

    model_config = ConfigDict(extra="forbid")

    architecture: str = Field(
        "auto",
        description="hog, small_cnn, or a classifier of keras.applications; auto: hog from 300 images or "
        "fewer; from more hog and small_cnn both learn, and the one that validates better stays.",
    )
    image_size: int = Field(0, ge=0, le=1024, description="Side in pixels; 0: from the data, 16 to 128.")
    batch_size: int = Field(
        64, ge=1, le=4096, description="Images a step; fewer where there are few, or memory does not suffice."
    )
    epochs: int = Field(30, ge=1, le=10_000, description="At most: it stops when it gets no better.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Of the optimizer, Adam.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of the features dropped in training.")
    patience: int = Field(5, ge=1, description="Epochs without a lower validation loss before stopping.")
    augmentation: Literal["none", "geometry", "photo"] = Field(
        "geometry",
        description="geometry: shift, turn, zoom a little; photo: also mirror, brightness, contrast.",
    )
    weights: str = Field("", description="Path of a .weights.h5 file to start from; empty: random.")
    frozen: bool = Field(False, description="Only the last layer learns: for few images, with good weights.")
    mixed_precision: bool = Field(True, description="Half precision, where the device is built for it.")
    seed: int = Field(0, ge=0, description="Of all that is random: the same gives the same model.")
