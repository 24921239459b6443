"""The versions that an asset's partition has had, each once however often it came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cv_pipelines.catalog import Catalog, Publication
from cv_pipelines.errors import InputError
from cv_pipelines.storage.bundles import Reference

_EVERY = 1_000_000


@dataclass(frozen=True)
class Version:
    """One state of a partition; `made_at` is when it first stood."""

    version: str
    reference: Reference
    made_at: datetime
    current: bool
    facts: Mapping[str, Any]


def versions_of(catalog: Catalog, asset: str, partition: str) -> list[Version]:
    """All versions, the one that came last first."""
    history = catalog.history(asset, partition, limit=_EVERY)
    first: dict[str, Publication] = {}
    for publication in history:
        first[publication.reference.version] = publication  # newest first, so the oldest of each stays
    current = history[0].reference.version if history else None
    ordered = sorted(first.values(), key=lambda one: one.id, reverse=True)
    return [
        Version(
            version=one.reference.version,
            reference=one.reference,
            made_at=one.created_at,
            current=one.reference.version == current,
            facts=catalog.open(one.reference).facts,
        )
        for one in ordered
    ]


def version_like(catalog: Catalog, asset: str, partition: str, prefix: str, command: str) -> Version:
    """A version by its name or the beginning of it.

    Args:
        catalog: where artefacts are.
        asset: its name.
        partition: its name.
        prefix: what the version begins with.
        command: that lists the versions.

    Raises:
        InputError: none or several begin like this.
    """
    found = [one for one in versions_of(catalog, asset, partition) if one.version.startswith(prefix)]
    if len(found) != 1 or not prefix:
        what = "several versions" if found and prefix else "no version"
        raise InputError("no_version", f"'{partition}' has {what} '{prefix}': see '{command} {partition}'.")
    return found[0]
