"""Training a classifier on a data set: once per data, labels, code and parameters."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.metadata import requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_files, hash_values
from cv_pipelines.images import decode, resize
from cv_pipelines.images.statistics import STATISTICS
from cv_pipelines.images.stored import stored_images
from cv_pipelines.models.architectures import factory
from cv_pipelines.models.architectures.factory import ARCHITECTURES, AUTO, architectures_for, weights_file
from cv_pipelines.models.checkpoints import Checkpoints
from cv_pipelines.models.dataset import LabelledImages, labelled_images
from cv_pipelines.models.drift import profile
from cv_pipelines.models.history import History, Listener, best_epoch, deaf, lowest_loss
from cv_pipelines.models.pace import step_size
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.pixel_cache import open_cache
from cv_pipelines.progress import Progress, silent
from cv_pipelines.storage.bundles import Reference, put_bundle, put_part, put_table

if TYPE_CHECKING:
    from cv_pipelines.models.fitting import Fitted

_SMALLEST, _LARGEST = 16, 128
_SMALLEST_APPLICATION = 32
"""What most networks of keras.applications need."""


def train(
    catalog: Catalog,
    manifest: Reference,
    labels: Reference,
    splits: Reference,
    parameters: TrainingParameters,
    cache: Path,
    halvings: int = 0,
    progress: Progress = silent,
    on_epoch: Listener = deaf,
) -> Outcome:
    """Train a classifier, or return the one that the same inputs have given before.

    Args:
        catalog: where artefacts are.
        manifest: the image manifest.
        labels: the labels.
        splits: who learns from what.
        parameters: what a person has set.
        cache: folder for decoded images.
        halvings: how often memory did not suffice: of the images a step.
        progress: told of epochs.
        on_epoch: told of their figures; of none, where the classifier is there already.

    Returns:
        An artefact with the parts `model` (.keras) and `learned` (ids of the training images), and the
        model's card as its facts.

    Raises:
        InputError: parameters or data that no model can be trained with.
        ResourceError: code `out_of_memory`.
    """
    images = labelled_images(catalog, labels, splits, ("train", "validation"))
    if len(images.classes) < 2:
        message = f"There is nothing to tell apart in {len(images.classes)} class; label at least two."
        raise InputError("one_class", message)
    learning = int((images.splits == "train").sum())
    candidates = _candidates(catalog, manifest, learning, parameters)
    size = max(1, step_size(learning, parameters.batch_size) >> halvings)

    def make(key: str) -> Reference:
        tried = _tried(catalog, manifest, images, candidates, size, cache, key, progress, on_epoch)
        chosen = min(candidates, key=lambda one: lowest_loss(tried[one.architecture].history))
        fitted = tried[chosen.architecture]
        card = {
            **_card(images, chosen, size, fitted),
            "tried": [{"architecture": name, **_best(one.history)} for name, one in tried.items()],
            "parameters": parameters.model_dump(),  # as they were set: another training decides the rest anew
            "data": {"manifest": manifest.version, "labels": labels.version, "splits": splits.version},
            "profile": _profile(catalog, manifest, images, fitted.predicted),
        }
        learned = pa.table({"image_id": images.split("train").image_ids})
        parts = {
            "model": put_part(catalog.store, fitted.model, ".keras"),
            "learned": put_table(catalog.store, learned),
        }
        return put_bundle(catalog.store, "trained_model", key[:12], card, parts)

    inputs = _inputs(images, candidates)
    outcome = catalog.once("trained_model", inputs, make)
    for one in candidates:
        _checkpoints(catalog, hash_values(inputs), one).delete()
    return outcome


def code_version() -> str:
    """Changes when our source or a library changes that decides what a training gives.

    It is the same in every image of ours, also without TensorFlow: of that counts what pyproject.toml asks for.
    """
    here = Path(__file__).parent
    pixels = [Path(str(decode.__file__)), Path(str(resize.__file__))]
    libraries = {name: version(name) for name in ("keras", "pillow", "opencv-python-headless")}
    asked = [line for line in requires("cv-pipelines") or () if line.startswith("tensorflow~")]
    libraries["tensorflow"] = asked[0].partition(";")[0] if asked else ""
    architectures = sorted(Path(str(factory.__file__)).parent.glob("*.py"))
    own = [
        here / f"{name}.py"
        for name in ("batches", "course", "dataset", "fitting", "history", "pace", "pixel_cache")
    ]
    return hash_values({"source": hash_files([*pixels, *architectures, *own]), "libraries": libraries})[:16]


def _tried(
    catalog: Catalog,
    manifest: Reference,
    images: LabelledImages,
    candidates: Sequence[TrainingParameters],
    batch: int,
    cache: Path,
    key: str,
    progress: Progress,
    on_epoch: Listener,
) -> "dict[str, Fitted]":
    """A classifier of each architecture, fitted to images that are decoded once, into the cache."""
    from cv_pipelines.models.fitting import fit

    stored, side = stored_images(catalog.open(manifest)), candidates[0].image_size
    with closing(open_cache(cache, stored, images.image_ids, side, progress)) as pixels:
        tried: dict[str, Fitted] = {}
        for one in candidates:
            tell = progress if len(candidates) == 1 else _of(one.architecture, progress)
            checkpoints = _checkpoints(catalog, key, one)
            tried[one.architecture] = fit(images, pixels, one, batch, checkpoints, tell, on_epoch)
        return tried


def _of(name: str, progress: Progress) -> Progress:
    """Tell which of several architectures it is that learns."""
    return lambda stage, done, total=None: progress(f"{stage} of {name}", done, total)


def _checkpoints(catalog: Catalog, key: str, parameters: TrainingParameters) -> Checkpoints:
    return Checkpoints(catalog.store, f"{key}-{parameters.architecture}")


def _best(history: History) -> dict[str, float]:
    """The figures of the epoch whose weights are kept, and its number from 1."""
    epoch = best_epoch(history)
    return {"epoch": epoch + 1, **history[epoch]}


def _card(images: LabelledImages, parameters: TrainingParameters, batch: int, fitted: "Fitted") -> dict[str, Any]:
    """What a model says of itself: how it was made, and how that went."""
    return {
        "architecture": parameters.architecture,
        "image_size": parameters.image_size,
        "classes": images.classes,
        "batch_size": batch,
        "code": code_version(),
        "history": fitted.history,
        "images_per_second": fitted.images_per_second,
        "seconds": round(fitted.seconds, 2),
    }


def _inputs(images: LabelledImages, candidates: Sequence[TrainingParameters]) -> dict[str, Any]:
    weights = ""
    if candidates[0].weights:
        weights = hash_files([weights_file(candidates[0].weights)])
    names = " or ".join(one.architecture for one in candidates)
    parameters = candidates[0].model_dump(exclude={"weights"}) | {"architecture": names}
    return {"parameters": parameters, "weights": weights, "images": images.version, "code": code_version()}


def _candidates(
    catalog: Catalog, manifest: Reference, learning: int, parameters: TrainingParameters
) -> list[TrainingParameters]:
    """Choose architectures and image size from the data where nobody has; weights are of one architecture."""
    names = (parameters.architecture,) if parameters.architecture != AUTO else architectures_for(learning)
    some = names[-1:] if parameters.weights else names
    size = parameters.image_size or _usual_side(catalog, manifest, all(name in ARCHITECTURES for name in some))
    return [parameters.model_copy(update={"architecture": name, "image_size": size}) for name in some]


def _usual_side(catalog: Catalog, manifest: Reference, ours: bool) -> int:
    """The usual short side, in steps of 8, within what networks take: ours smaller ones than others."""
    table = catalog.open(manifest).table("images", ["width", "height"])
    side = float(np.median(np.minimum(table["width"].to_numpy(), table["height"].to_numpy())))
    return int(np.clip(8 * np.ceil(side / 8), _SMALLEST if ours else _SMALLEST_APPLICATION, _LARGEST))


def _profile(
    catalog: Catalog, manifest: Reference, images: LabelledImages, predicted: NDArray[np.int64]
) -> Mapping[str, Any]:
    """What drift is later measured against: the images that the model learned from, and what it says of them.

    Not their labels: a weak model predicts other shares from the first day on, which is no drift.
    """
    table = catalog.open(manifest).table("images", ["image_id", *STATISTICS])
    learned = images.split("train")
    statistics = table.filter(pc.is_in(table["image_id"], pa.array(learned.image_ids))).to_pandas()
    return profile(statistics, images.classes, [images.classes[index] for index in predicted])
