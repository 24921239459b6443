"""The table of the video archive. A change here comes with a migration."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from cv_pipelines.database.clock import UtcDateTime, now
from cv_pipelines.database.tables import metadata

# Which videos there are. `stamp` is the version that was seen last; `problem` says why a video is in quarantine,
# and `problem_stamp` which version of it was bad.
videos = Table(
    "videos",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=True),
    Column("modified_at", UtcDateTime, nullable=True),
    Column("stamp", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("problem_stamp", Text, nullable=False, server_default=""),
    Column("added_at", UtcDateTime, nullable=False, server_default=now()),
)
