"""Every environment variable of the platform, parsed once."""

import os
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cv_pipelines.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


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
    file_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Folders, by commas, of which tasks may name files."
    )
    workers: int = Field(os.cpu_count() or 1, ge=1, description="Processes that decode at ingest.")

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
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"CV_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise InputError("settings", f"Environment: {problems}") from error
