"""Servers of a test's own: each on a free port, in a folder of its own, stopped at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from boto3.session import Session

from cv_pipelines.storage.s3_client import s3_client
from tests.installation import free_port, missing, wait_for

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_ACCESS = """
host all locked 127.0.0.1/32 scram-sha-256
host all all    127.0.0.1/32 trust
host all all    samenet      trust
local all all                trust
"""


@dataclass(frozen=True)
class Postgres:
    """A running Postgres; its user `cv` needs no password, every other one does.

    Attributes:
        port: where it listens.
        programs: the folder of pg_dump and its like.
        address: where it listens.
    """

    port: int
    programs: Path
    address: str = "127.0.0.1"

    def url(self, database: str, user: str = "cv", scheme: str = "postgresql+psycopg") -> str:
        return f"{scheme}://{user}@{self.address}:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside of any transaction; returns its rows, if it has any."""
        url = self.url(database, scheme="postgresql")
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Make an empty database; returns its URL."""
        name = f"test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)


on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
"""Run a test that uses `database_url`, itself or through `catalog` or `database`, once on each."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database; SQLite where a test does not ask for both."""
    if getattr(request, "param", "sqlite") == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return server.new_database()
    return f"sqlite:///{tmp_path / 'database' / 'cv.sqlite'}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres for all tests; each makes a database of its own in it."""
    with run_postgres() as server:
        yield server


@contextmanager
def run_postgres(durable: bool = False, address: str = "127.0.0.1") -> Iterator[Postgres]:
    """Start an empty Postgres and stop it at the end.

    Args:
        durable: whether a commit waits for the disk; nobody needs the data of a test after it.
        address: where it listens, for all on that network.
    """
    programs = _programs()
    user = "postgres" if os.getuid() == 0 else None  # Postgres does not run as root
    folder = Path(tempfile.mkdtemp(prefix="cv-postgres-"))
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    initdb = ["--auth=trust", "-U", "cv", "--no-sync", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        [programs / "initdb", *initdb, "-D", data], check=True, capture_output=True, user=user, cwd=folder
    )
    (data / "pg_hba.conf").write_text(_ACCESS)
    options = {"port": port, "listen_addresses": address, "unix_socket_directories": folder}
    options["fsync"] = "on" if durable else "off"
    options["timezone"] = "Asia/Tokyo"  # nobody may depend on the server's
    given = [f"--{name}={value}" for name, value in options.items()]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *given], stdout=log, stderr=log, user=user, cwd=folder
        )
    try:
        server = Postgres(port, programs, address)
        wait_for(lambda: process.poll() is not None or _answers(server))
        assert process.poll() is None, (folder / "log").read_text()
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # "fast": open connections are closed
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class S3:
    """A running S3 server that lets everybody in who has any credentials.

    Attributes:
        environment: what boto3 needs to find it.
    """

    environment: Mapping[str, str]

    @cached_property
    def client(self) -> "S3Client":
        """A client of its own, for what the environment of this process does not matter."""
        url, key, secret, region = self.environment.values()
        session = Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
        return session.client("s3", endpoint_url=url)

    def new_bucket(self) -> str:
        """Make an empty bucket; returns its URL."""
        name = f"test-{uuid4().hex}"
        self.client.create_bucket(Bucket=name)
        return f"s3://{name}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server for all tests; each makes a bucket of its own in it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    yield S3(dict(zip(names, (f"http://{host}:{port}", "key", "secret", "us-east-1"), strict=True)))
    server.stop()


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The S3 server, as the one that this process finds too."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3_client.cache_clear()
    yield s3_server
    s3_client.cache_clear()


def _programs() -> Path:
    """The folder of Postgres's programs; Debian keeps it off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return Path(missing("postgres", "apt-get install postgresql"))


def _answers(server: Postgres) -> bool:
    with suppress(psycopg.OperationalError):
        server.execute("SELECT 1")
        return True
    return False
