"""Where a training stands, in the object store: any machine can go on from there."""

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.models.history import History
from cv_pipelines.models.keras_files import load_model, model_bytes
from cv_pipelines.storage.protocol import ObjectStore

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Checkpoint:
    """A training after some epochs: its history, the model with its optimizer, the best weights."""

    history: History
    model: "keras.Model"
    best: list[Any]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training, which is named by the hash of all that decides it."""

    store: ObjectStore
    training: str

    def save(self, history: History, model: "keras.Model", best: list[Any]) -> None:
        """Write the model as it is and with its best weights, then the pointer that makes both count."""
        current = model.get_weights()
        keep = {"model": self._put(model_bytes(model))}
        model.set_weights(best)
        try:
            keep["best"] = self._put(model_bytes(model))
        finally:
            model.set_weights(current)
        self.store.flush()
        self.store.replace(self._pointer, json.dumps({"history": history, **keep}).encode())
        self._delete_all_but({self._pointer, *keep.values()})

    def load(self) -> Checkpoint | None:
        """Read the newest checkpoint, None before the first or where it cannot be read: one begins anew."""
        if not self.store.exists(self._pointer):
            return None
        try:
            pointer = json.loads(self.store.get(self._pointer))
            best = load_model(self.store.get(pointer["best"])).get_weights()
            return Checkpoint(pointer["history"], load_model(self.store.get(pointer["model"])), best)
        except (ValueError, KeyError, OSError, BadZipFile, InfrastructureError):
            return None

    def delete(self) -> None:
        """Forget a training that is over; the pointer goes first, so that nobody misses what it names."""
        self.store.delete(self._pointer)
        self._delete_all_but(set())

    @property
    def _folder(self) -> str:
        return f"checkpoints/{self.training}/"

    @property
    def _pointer(self) -> str:
        return f"{self._folder}newest.json"

    def _put(self, data: bytes) -> str:
        key = f"{self._folder}{hashlib.sha256(data).hexdigest()}.keras"
        self.store.put(key, data)
        return key

    def _delete_all_but(self, keep: set[str]) -> None:
        for key in [stored.key for stored in self.store.objects(self._folder)]:
            if key not in keep:
                self.store.delete(key)
