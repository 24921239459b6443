"""The catalog: which artefacts there are, and which one each asset's partition stands for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, literal, select, union
from sqlalchemy.exc import IntegrityError

from cv_pipelines.database.clock import now
from cv_pipelines.database.engine import reading
from cv_pipelines.database.partition_owners import of_present_partition
from cv_pipelines.database.tables import artefacts, models, publications
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import hash_values
from cv_pipelines.storage.bundles import Bundle, Reference, open_bundle
from cv_pipelines.storage.protocol import ObjectStore


@dataclass(frozen=True)
class Outcome:
    """What a step came to: its artefact, and whether an earlier run had already made it."""

    reference: Reference
    bundle: Bundle
    reused: bool


@dataclass(frozen=True)
class Publication:
    """An artefact as what one asset's partition stands for; `run_id` is empty where no run has published it."""

    id: int
    asset: str
    dataset: str
    reference: Reference
    created_at: datetime
    run_id: str = ""


@dataclass(frozen=True)
class Catalog:
    """The object store and the database, as one thing that steps read from and write to."""

    database: Engine
    store: ObjectStore

    def once(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        make: Callable[[str], Reference],
        settled: Callable[[Bundle], bool] = lambda _: True,
    ) -> Outcome:
        """Return the artefact that these inputs make, making it only if nobody has.

        Two at once may both make it; the first one recorded stands for both. One that is gone from
        the store is made again.

        Args:
            kind: what is made.
            inputs: JSON values that decide the result completely, versions of code included.
            make: makes it, given the hash of the inputs.
            settled: says whether an artefact is final, or would better be made again.
        """
        key = hash_values(inputs)
        found = self._find(kind, key)
        if found is not None and self._stands(found, settled) and self._renew(kind, key):
            return Outcome(found, open_bundle(self.store, found), reused=True)
        recorded = self._record(kind, key, make(key), instead_of=found)
        return Outcome(recorded, open_bundle(self.store, recorded), reused=False)

    def made(self, kind: str, inputs: Mapping[str, Any]) -> Reference | None:
        """The artefact that these inputs have made; None where nobody has made it, or it is gone."""
        found = self._find(kind, hash_values(inputs))
        return found if found is not None and self._stands(found, lambda _: True) else None

    def _stands(self, reference: Reference, settled: Callable[[Bundle], bool]) -> bool:
        if not self.store.exists(reference.key):
            return False
        bundle = open_bundle(self.store, reference)
        return all(self.store.exists(key) for key in bundle.parts.values()) and settled(bundle)

    def _record(self, kind: str, inputs: str, made: Reference, instead_of: Reference | None) -> Reference:
        """Enter what was made; where somebody else was first, theirs stands."""
        if instead_of is not None and self._renew(kind, inputs, version=made.version, key=made.key):
            return made
        row = {"kind": kind, "inputs": inputs, "version": made.version, "key": made.key}
        try:
            with self.database.begin() as connection:
                connection.execute(artefacts.insert().values(row))
        except IntegrityError:
            return self._find(kind, inputs) or made
        return made

    def _renew(self, kind: str, inputs: str, **changed: str) -> bool:
        """Let a record count as new, with changes perhaps; False: there is none (any more).

        What is old and was never published is garbage. Whoever renews a record in time keeps what
        it stands for until it can be published; whoever comes too late has to make it anew.
        """
        same = (artefacts.c.kind == kind, artefacts.c.inputs == inputs)
        with self.database.begin() as connection:
            renewed = connection.execute(artefacts.update().where(*same).values(**changed, created_at=now()))
        return renewed.rowcount == 1

    def open(self, reference: Reference) -> Bundle:
        """Read an artefact."""
        return open_bundle(self.store, reference)

    def publish(self, asset: str, dataset: str, reference: Reference, run_id: str = "") -> None:
        """Make an artefact the current one of an asset's partition; what was current stays in the record."""
        row = {"asset": asset, "dataset": dataset, "run_id": run_id}
        row |= {"kind": reference.kind, "version": reference.version, "key": reference.key}
        with self.database.begin() as connection:
            connection.execute(publications.insert().values(row))

    def current(self, asset: str, dataset: str) -> Reference | None:
        """The artefact that an asset's partition stands for, None before the first."""
        history = self.history(asset, dataset, limit=1)
        return history[0].reference if history else None

    def currents(self, asset: str, partitions: Sequence[str]) -> dict[str, Reference]:
        """What some hundred partitions of an asset stand for; those that were never made are left out."""
        newest = (
            select(func.max(publications.c.id))
            .where(publications.c.asset == asset, publications.c.dataset.in_(partitions))
            .where(of_present_partition(publications))
            .group_by(publications.c.dataset)
        )
        with reading(self.database) as connection:
            rows = connection.execute(select(publications).where(publications.c.id.in_(newest))).all()
        return {row.dataset: Reference(row.kind, row.version, row.key) for row in rows}

    def with_several(self, asset: str, partitions: Sequence[str]) -> set[str]:
        """Which of some hundred partitions of an asset have stood for more than one artefact."""
        query = (
            select(publications.c.dataset)
            .where(publications.c.asset == asset, publications.c.dataset.in_(partitions))
            .where(of_present_partition(publications))
            .group_by(publications.c.dataset)
            .having(func.count(publications.c.key.distinct()) > 1)
        )
        with reading(self.database) as connection:
            return set(connection.scalars(query))

    def inputs_of(self, kind: str, references: Collection[Reference]) -> dict[str, set[str]]:
        """Hashes of the inputs that make some hundred artefacts of a kind, by their keys; some make the same."""
        keys = [reference.key for reference in references]
        query = select(artefacts.c.key, artefacts.c.inputs).where(
            artefacts.c.kind == kind, artefacts.c.key.in_(keys)
        )
        found: dict[str, set[str]] = {key: set() for key in keys}
        with reading(self.database) as connection:
            for key, inputs in connection.execute(query):
                found[key].add(inputs)
        return found

    def require(self, asset: str, dataset: str) -> Reference:
        """Like `current`.

        Raises:
            InputError: nothing was published yet.
        """
        reference = self.current(asset, dataset)
        if reference is None:
            message = f"'{dataset}' has no {asset} yet: run 'cv-pipelines run {dataset}' first."
            raise InputError("not_materialized", message)
        return reference

    def history(self, asset: str, dataset: str, limit: int = 100) -> list[Publication]:
        """What an asset's partition stood for, newest first."""
        query = (
            select(publications)
            .where(publications.c.asset == asset, publications.c.dataset == dataset)
            .where(of_present_partition(publications))
            .order_by(publications.c.id.desc())
            .limit(limit)
        )
        with reading(self.database) as connection:
            rows = connection.execute(query).all()
        return [
            Publication(
                row.id,
                row.asset,
                row.dataset,
                Reference(row.kind, row.version, row.key),
                row.created_at,
                row.run_id,
            )
            for row in rows
        ]

    def newest(self, kind: str, prefix: str) -> Reference | None:
        """The artefact of a kind made last, of those whose version starts with `prefix`."""
        query = (
            select(artefacts)
            .where(artefacts.c.kind == kind, artefacts.c.version.startswith(prefix, autoescape=True))
            .order_by(artefacts.c.id.desc())
            .limit(1)
        )
        with reading(self.database) as connection:
            row = connection.execute(query).first()
        return Reference(row.kind, row.version, row.key) if row else None

    def references(self) -> list[Reference]:
        """Every artefact that the record names: made, published, or entered as a model."""
        trained = select(literal("trained_model"), models.c.version, models.c.key)
        named = [select(table.c.kind, table.c.version, table.c.key) for table in (artefacts, publications)]
        with reading(self.database) as connection:
            return [Reference(*row) for row in connection.execute(union(*named, trained))]

    def _find(self, kind: str, inputs: str) -> Reference | None:
        query = select(artefacts).where(artefacts.c.kind == kind, artefacts.c.inputs == inputs)
        with reading(self.database) as connection:
            row = connection.execute(query).first()
        return Reference(row.kind, row.version, row.key) if row else None
