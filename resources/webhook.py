"""A webhook of somebody who wants to be told."""

import json
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from dagster import ConfigurableResource

from cv_pipelines.errors import InfrastructureError


class WebhookResource(ConfigurableResource[None]):
    """Posts JSON to `url`; without one, nobody is told."""

    url: str = ""
    timeout_seconds: float = 5.0

    def post(self, payload: dict[str, object]) -> None:
        """Send one message.

        Raises:
            InfrastructureError: the receiver did not accept it.
        """
        body = json.dumps(payload, ensure_ascii=False).encode()
        request = Request(self.url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
        try:
            with urlopen(request, timeout=self.timeout_seconds):  # noqa: S310 - settings allow http(s) only
                pass
        except (URLError, OSError) as error:
            raise InfrastructureError(
                "webhook", f"The webhook at {urlsplit(self.url).hostname} did not answer: {error}."
            ) from error
