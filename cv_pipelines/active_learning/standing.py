"""What people have set about the newest training and the newest queue: it stands for the next ones, too."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from cv_pipelines.catalog import Catalog


def standing_parameters(catalog: Catalog, asset: str, dataset: str, kind: type[BaseModel]) -> dict[str, Any]:
    """The parameters that the newest artefact of an asset was made with.

    Args:
        catalog: where it is.
        asset: one whose facts have `parameters`.
        dataset: its name.
        kind: of the parameters: what another release has set, and this one does not know, is left out.

    Returns:
        All of them; all as they are by default where one may not be what it was any more; none where nothing was
        made yet.
    """
    made = catalog.current(asset, dataset)
    return _valid(kind, catalog.open(made).facts["parameters"]) if made else {}


def _valid(kind: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in given.items() if name in kind.model_fields}
    try:
        return kind.model_validate(known).model_dump()
    except ValidationError:
        return kind().model_dump()
