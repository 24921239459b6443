"""What commands need: opened late, so that `--help` is quick."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cv_pipelines.cli.output import errors
from cv_pipelines.errors import CvError
from cv_pipelines.settings import load_settings

if TYPE_CHECKING:
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.tasks.ledger.ledger import Ledger

_PUBLISH_SECONDS = 3.0


def open_catalog() -> "Catalog":
    """The catalog that the settings name."""
    from cv_pipelines.catalog import Catalog
    from cv_pipelines.database.engine import open_database
    from cv_pipelines.storage.factory import open_store

    settings = load_settings()
    return Catalog(open_database(settings.database), open_store(settings.store))


def open_ledger() -> "Ledger":
    """The ledger of tasks that the settings name."""
    from cv_pipelines.database.engine import open_database
    from cv_pipelines.tasks.ledger.ledger import Ledger

    settings = load_settings()
    return Ledger(open_database(settings.database), bool(settings.rabbitmq_url))


def announce(ledger: "Ledger", events: Sequence[int]) -> None:
    """Tell the broker, if there is one, of events that this command has committed; the sensor tells the rest.

    What goes wrong is a warning: what the command was asked for is done.
    """
    settings = load_settings()
    if not settings.rabbitmq_url or not events:
        return
    from cv_pipelines.tasks.delivery import make_courier

    secret = settings.webhook_secret.get_secret_value()
    courier = make_courier(ledger, settings.rabbitmq_url, _PUBLISH_SECONDS, secret, settings.url_allow)
    try:
        courier.announce(events)
    except CvError as error:
        message = f"Nobody is told of it yet: {error.user_message}"
        errors.print(message, style="yellow", markup=False, soft_wrap=True)


def warn_without_daemon() -> None:
    """Say on stderr that tasks will wait, where no daemon is running."""
    from cv_pipelines.orchestration.instance import daemon_is_running, open_instance

    with open_instance() as instance:
        running = daemon_is_running(instance)
    if not running:
        errors.print("No daemon is running: start 'make dev', and it begins.", style="yellow", markup=False)
