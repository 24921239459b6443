"""Every environment variable of the platform, parsed once."""

import os
import re
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cv_pipelines.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


SECRETS = Path("/run/secrets")
_SECRET = re.compile("(CV|AWS)_[A-Z0-9_]+")


def _by_commas(value: str | tuple[str, ...]) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in given if part.strip())


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)]
"""Several, by commas."""
_S = TypeVar("_S", bound=BaseSettings)


class SwarmSettings(BaseSettings):
    """How steps run on worker nodes; each field is the environment variable `CV_SWARM_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="CV_SWARM_", env_ignore_empty=True, frozen=True)

    image: str = Field("", description="Of steps; empty: that of their run's container.")
    images: Names = Field((), description="Patterns of further images that steps may ask for by the tag cv/image.")
    networks: Names = Field((), description="Overlay networks of steps.")
    mounts: Names = Field((), description="SOURCE:TARGET or SOURCE:TARGET:ro, on every node.")
    env: Names = Field((), description="Variables of steps: NAME (as it is here) or NAME=VALUE.")
    secrets: Names = Field((), description="Swarm secrets that steps find in /run/secrets.")
    lease: float = Field(60, ge=3, description="Seconds without the database after which a step is killed.")
    pull: float = Field(1800, gt=0, description="Seconds that a node may need to get an image.")
    begin: float = Field(120, gt=0, description="Seconds from the start of a container until its guard has begun.")


class Settings(BaseSettings):
    """Settings of one installation; each field is the environment variable `CV_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="CV_", env_ignore_empty=True, frozen=True)

    state: Path = Field(ROOT / ".cv", description="Folder of everything that is kept locally.")
    database_url: str = Field("", description="SQLite or Postgres, for Dagster too; empty: in the state folder.")
    store_url: str = Field("", description="file:// or s3:// URL; empty: a folder in the state folder.")
    failure_webhook: HttpUrl | None = Field(None, description="Told of every failed run.")
    ui_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:3000"), description="Where people reach the UI.")
    url_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts and networks, by commas, that URLs in tables may lead to though not public."
    )
    rabbitmq_url: str = Field("", description="amqp:// URL; empty: tasks come by the command line only.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Signs what webhooks are told.")
    most_waiting: int = Field(100_000, ge=1, description="Tasks that wait here; more stay in the broker.")
    lost_after: float = Field(60, ge=1, description="Seconds of silence after which a run of tasks is lost.")
    task_days: float = Field(30, gt=0, description="Days for which tasks that have ended are kept.")
    event_days: float = Field(7, gt=0, description="Days for which decided events and dead letters are kept.")
    run_days: float = Field(90, gt=0, description="Days for which runs are kept that nothing current is from.")
    file_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Folders, by commas, of which tasks may name files."
    )
    video_sources: Names = Field((), description="Folders and s3:// prefixes whose videos are watched.")
    most_disputed: float = Field(
        0.2, ge=0, le=1, description="Share of the images labelled by several people that may be in dispute."
    )
    retrain_after_labels: int = Field(
        50, ge=0, description="New labels after which the sensor new_labels has a model trained; 0: it never does."
    )
    executor: Literal["in_process", "swarm"] = Field(
        "in_process", description="Where steps run: in their run's process, or on the nodes of a Docker Swarm."
    )
    gpus: int = Field(0, ge=0, description="GPUs that steps which learn or predict ask for.")
    workers: int = Field(os.cpu_count() or 1, ge=1, description="Processes that decode at ingest.")
    web_host: str = Field("127.0.0.1", description="Address that the web application listens on.")
    web_port: int = Field(8000, ge=0, le=65535, description="Its port.")
    web_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"), description="Names that people reach it by: others are refused."
    )
    web_upload_mb: int = Field(2048, ge=1, description="MiB that a file may have which somebody uploads.")
    web_dataset_mb: int = Field(102_400, ge=1, description="MiB that a data set may get by uploading.")
    web_proxies: Names = Field((), description="Addresses of proxies before it, whose X-Forwarded-… it believes.")

    @field_validator("state")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("url_allow", mode="before")
    @classmethod
    def _parts(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        parts = tuple(part.strip().lower() for part in given if part.strip())
        for network in (part for part in parts if "/" in part):
            ip_network(network, strict=False)
        return parts

    @field_validator("file_allow", mode="before")
    @classmethod
    def _folders(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        return tuple(str(Path(part.strip()).expanduser().resolve()) for part in given if part.strip())

    @property
    def database(self) -> str:
        """URL of the application database."""
        return self.database_url or f"sqlite:///{quote(str(self.state / 'cv.sqlite'), safe='/ +')}"

    @property
    def store(self) -> str:
        """URL of the object store."""
        return self.store_url or (self.state / "store").as_uri()

    @property
    def cache(self) -> Path:
        """Folder of what can be made again: decoded images."""
        return self.state / "cache"


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the environment once per process.

    Raises:
        InputError: a variable does not hold what it must.
    """
    adopt_secrets(SECRETS)
    return read_settings(Settings)


@lru_cache(maxsize=1)
def load_swarm_settings() -> SwarmSettings:
    """Read the part about worker nodes once per process.

    Raises:
        InputError: a variable does not hold what it must.
    """
    return read_settings(SwarmSettings)


def adopt_secrets(folder: Path) -> None:
    """Take the files that Docker puts into a container for variables of their names; set variables stay.

    They are set for this process and those that it starts: boto3 looks for its own there.
    """
    for file in sorted(folder.glob("*")):
        if _SECRET.fullmatch(file.name) and file.is_file() and file.name not in os.environ:
            os.environ[file.name] = file.read_text().strip()


def read_settings(kind: type[_S]) -> _S:
    """Read one part of the environment; whoever calls it remembers what it says.

    Raises:
        InputError: a variable does not hold what it must.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        problems = "; ".join(f"{prefix}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise InputError("settings", f"Environment: {problems}") from error
