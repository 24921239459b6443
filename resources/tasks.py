"""The ledger of tasks, and whoever is told of them."""

from typing import TYPE_CHECKING

from dagster import ConfigurableResource, EnvVar, ResourceDependency
from pydantic import Field

from cv_pipelines.settings import Settings
from cv_pipelines.tasks.ledger.ledger import Ledger
from resources.database import DatabaseResource

if TYPE_CHECKING:
    from cv_pipelines.tasks.delivery import Courier

ANNOUNCE_SECONDS = 2.0
"""For telling the broker of what was just committed: a run or a tick waits for it; the sweep makes up for it."""


class TasksResource(ConfigurableResource[Ledger]):
    """Tasks in the application database; `broker_url` and `webhook_secret` may be empty."""

    database: ResourceDependency[DatabaseResource]
    broker_url: str = ""
    webhook_secret: str = ""
    url_allow: list[str] = Field(default_factory=list)
    file_allow: list[str] = Field(default_factory=list)
    most_waiting: int = 100_000
    lost_after: float = 60.0
    task_days: float = 30.0
    event_days: float = 7.0

    def ledger(self) -> Ledger:
        """Open it; cheap to repeat."""
        return Ledger(self.database.connect(), bool(self.broker_url))

    def courier(self, seconds: float = ANNOUNCE_SECONDS) -> "Courier":
        """Whoever tells of events; `seconds`: for the broker to take some of them."""
        from cv_pipelines.tasks.delivery import make_courier  # pika is imported where there is something to tell

        allow = tuple(self.url_allow)
        return make_courier(self.ledger(), self.broker_url, seconds, self.webhook_secret, allow)


def make_tasks_resource(settings: Settings, database: DatabaseResource) -> TasksResource:
    """What the settings say; secrets stay in the environment, and so off the pages of the UI."""
    return TasksResource(
        database=database,
        broker_url=EnvVar("CV_RABBITMQ_URL") if settings.rabbitmq_url else "",
        webhook_secret=EnvVar("CV_WEBHOOK_SECRET") if settings.webhook_secret.get_secret_value() else "",
        url_allow=list(settings.url_allow),
        file_allow=list(settings.file_allow),
        most_waiting=settings.most_waiting,
        lost_after=settings.lost_after,
        task_days=settings.task_days,
        event_days=settings.event_days,
    )
