"""What every store holds to, and says, about keys."""

from cv_pipelines.errors import InfrastructureError


def require_key(key: str) -> str:
    """Return a key that names an object below the root of a store.

    Raises:
        ValueError: it does not.
    """
    if not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise ValueError(f"not a key: {key!r}")
    return key


def missing_object(key: str, detail: str) -> InfrastructureError:
    """The error of an object that is not there."""
    message = f"The object store has no '{key}'. Materialize the asset that makes it again."
    return InfrastructureError("missing_object", message, detail)


def short_object(key: str, detail: str) -> InfrastructureError:
    """The error of an object that ends before it should."""
    message = f"The object '{key}' of the store was cut off. Materialize the asset that makes it again."
    return InfrastructureError("short_object", message, detail)
