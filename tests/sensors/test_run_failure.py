"""Failed runs are told to a webhook: a real one, on a free port."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    Definitions,
    SkipReason,
    asset,
    build_run_status_sensor_context,
    define_asset_job,
)

from cv_pipelines.errors import InfrastructureError, InputError
from cv_pipelines.execution.failures import mapped_errors
from resources.webhook import WebhookResource
from sensors.run_failure import make_run_failure_sensor


@asset
def broken() -> None:
    with mapped_errors():
        raise InputError("no_folder", "There is no folder 'x'.")


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    thread.join()
    server.server_close()


def evaluate(webhook: WebhookResource) -> object:
    sensor = make_run_failure_sensor("http://ui.example/")
    job = Definitions(assets=[broken], jobs=[define_asset_job("job")]).resolve_job_def("job")
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        events = [event for event in result.all_events if event.is_failure and event.step_key is None]
        context = build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=events[-1],
            resources={"webhook": webhook},
        ).for_run_failure()
        return sensor(context)


def test_source_message_and_link_are_posted(receiver: tuple[str, list[dict[str, Any]]]) -> None:
    url, told = receiver
    evaluate(WebhookResource(url=url))
    (message,) = told
    assert message["source"] == "input"
    assert message["code"] == "no_folder"
    assert message["message"] == "There is no folder 'x'."
    assert message["step"] == "broken"
    assert message["link"] == f"http://ui.example/runs/{message['run']}"


def test_without_a_webhook_the_tick_says_why_nobody_is_told() -> None:
    skipped = evaluate(WebhookResource(url=""))
    assert isinstance(skipped, SkipReason)
    assert "CV_FAILURE_WEBHOOK" in str(skipped.skip_message)


def test_a_dead_receiver_is_an_error_of_the_infrastructure() -> None:
    with pytest.raises(InfrastructureError, match="did not answer"):
        WebhookResource(url="http://127.0.0.1:9/", timeout_seconds=1).post({"run": "x"})
