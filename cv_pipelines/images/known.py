"""What earlier ingests found out about files: a file whose size and time still stand is not read again."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.inspection import UNREADABLE
from cv_pipelines.images.manifest import FACTS
from cv_pipelines.storage.parquet import read_parquet
from cv_pipelines.storage.protocol import ObjectStore

PREFIX = "ingests/"


@dataclass
class Journal:
    """What an ingest has found so far, in the store: one that was killed goes on from there.

    Attributes:
        store: where it is kept.
        name: of the ingest; the next one on the same source finds it under the same name.
    """

    store: ObjectStore
    name: str
    _pending: list[pa.Table] = field(default_factory=list)

    def read(self) -> pa.Table:
        """Everything noted, as FACTS."""
        return pa.concat_tables([FACTS.empty_table(), *map(self._load, self._keys())])

    def note(self, facts: pa.Table) -> None:
        """Keep facts in mind; they are safe after `save`."""
        self._pending.append(facts)

    def save(self) -> None:
        """Write what is new; the packs that it names reach the disk first."""
        if not self._pending:
            return
        buffer = io.BytesIO()
        pq.write_table(pa.concat_tables(self._pending), buffer, compression="zstd")
        self.store.flush()
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        self.store.put(f"{PREFIX}{self.name}/{digest}.parquet", buffer.getvalue())
        self._pending.clear()

    def delete(self) -> None:
        """Forget it all: the ingest is over."""
        for key in list(self._keys()):
            self.store.delete(key)

    def _keys(self) -> Iterator[str]:
        return (stored.key for stored in self.store.objects(f"{PREFIX}{self.name}/"))

    def _load(self, key: str) -> pa.Table:
        try:
            return read_parquet(io.BytesIO(self.store.get(key))).cast(FACTS)
        except InfrastructureError as error:
            if error.code != "missing_object":  # another ingest of the same source has ended just now
                raise
            return FACTS.empty_table()


def lasting(facts: pa.Table) -> pa.Table:
    """The facts that still hold where a file has not changed: not those of files that could not be read."""
    return facts.filter(pc.and_(pc.not_equal(facts["code"], UNREADABLE), pc.not_equal(facts["stamp"], "")))


def look_up(files: pa.Table, facts: pa.Table) -> pa.Array:
    """For each file the row of its facts, null where there are none.

    Args:
        files: has the columns `location` and `stamp`.
        facts: FACTS.
    """
    return pc.index_in(_key(files), value_set=_key(facts).combine_chunks())


def _key(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["location"], table["stamp"], "\0")
