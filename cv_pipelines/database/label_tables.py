"""The tables of labels: events, which are only ever added. A change here comes with a migration."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only what is an INTEGER

# What somebody has said of an image, whole; the newest event of an image stands. `version` counts the events of
# an image from 1. No `content`: the label was taken away, or the image was forgotten. `digest` is that of the
# content (annotations/store/content.py), and stays when the content of a forgotten image is erased; `replaced` is
# the digest of the event before: the digests of what stands are all `digest` less all `replaced`, without a join.
label_events = Table(
    "label_events",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("image_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("replaced", LargeBinary(32), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("who", String(128), nullable=False),
    Column("model", String(64), nullable=False, server_default=""),
    Column("adjudicates", Boolean, nullable=False, server_default=false()),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    UniqueConstraint("dataset", "image_id", "version"),
    Index("ix_label_events_dataset", "dataset", "id"),
)

# The classes of a data set: the newest event of a number stands. Labels name classes by their numbers.
label_class_events = Table(
    "label_class_events",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("colour", String(7), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("who", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, server_default=now()),
    Index("ix_label_class_events_dataset", "dataset", "number", "id"),
)

# Who is to label an image: in a first pass, and some images by somebody else in a second one, so that it shows how
# far people agree. `done_at` is when they first said something of the image after that: the store of events sets
# it with the event, so what is open is read from an index alone.
label_assignments = Table(
    "label_assignments",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("image_id", String(64), nullable=False),
    Column("pass_number", Integer, nullable=False),
    Column("who", String(128), nullable=False),
    Column("assigned_by", String(128), nullable=False),
    Column("assigned_at", UtcDateTime, nullable=False, server_default=now()),
    Column("done_at", UtcDateTime, nullable=True),
    UniqueConstraint("dataset", "image_id", "pass_number"),
    Index("ix_label_assignments_who", "dataset", "who", "done_at", "image_id"),
)
