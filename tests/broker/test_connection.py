import json
import re
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cv_pipelines.broker import connection
from cv_pipelines.broker.connection import connection_parameters, open_connection
from cv_pipelines.broker.link import open_link
from cv_pipelines.broker.messages import Outgoing
from cv_pipelines.broker.publisher import publish
from cv_pipelines.errors import InfrastructureError, InputError
from tests.installation import free_port
from tests.rabbitmq import RabbitMQ


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rabbit",
        "http://host",
        "amqp://",
        "amqp:///vhost",
        "amqp://host:port",
        "amqp://host:99999",
        "amqp://user@host",
        "amqp://user:secret@[::1",
        "amqp://user:secret@host/?heartbeat=often",
        "amqp://user:secret@host/?colour=red",
    ],
)
def test_a_url_of_no_broker_is_the_callers_mistake(url: str) -> None:
    with pytest.raises(InputError) as caught:
        open_connection(url, "test")
    assert caught.value.code == "broker_url"
    assert "CV_RABBITMQ_URL" in caught.value.user_message
    assert "secret" not in caught.value.user_message


@given(st.one_of(st.text(), st.text().map("amqp://{}".format)))
def test_any_text_is_a_url_of_a_broker_or_the_callers_mistake(url: str) -> None:
    with suppress(InputError):
        assert connection_parameters(url, "test").host


def test_a_broker_that_is_not_there_is_named_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    port = free_port()
    with pytest.raises(InfrastructureError) as caught:
        open_connection(f"amqp://user:secret@127.0.0.1:{port}/", "test")
    assert caught.value.code == "broker"
    assert f"amqp://127.0.0.1:{port} does not answer: Connection refused" in caught.value.user_message
    assert "secret" not in caught.value.user_message + caught.value.detail


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(InfrastructureError, match="nothing came back in time"):
            open_connection(url, "test")
        with pytest.raises(InfrastructureError, match="nothing came back in time"), open_link(url, "test", 0.5):
            pass
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("old", "new"), [("guest:guest@", "guest:wrong@"), ("%2F", "nowhere")])
def test_a_wrong_password_or_vhost_is_the_callers_mistake(rabbitmq: RabbitMQ, old: str, new: str) -> None:
    url = rabbitmq.url.replace(old, new)
    with pytest.raises(InputError) as caught:
        open_connection(url, "test")
    with pytest.raises(InputError) as linked, open_link(url, "test", 5):
        pass
    assert caught.value.code == linked.value.code == "broker_access"
    assert caught.value.user_message == linked.value.user_message
    assert "guest:" not in caught.value.user_message


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ours.pem` for 127.0.0.1, and `other.pem`; each signed by itself."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "other"):
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(["openssl", "req", "-x509", *kind, *files, *subject], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def secure_url(rabbitmq: RabbitMQ, certificates: Path) -> str:
    return rabbitmq.listen_with_tls(certificates / "ours.pem", certificates / "ours.key")


def test_a_broker_is_trusted_by_the_certificate_that_the_url_names(secure_url: str, certificates: Path) -> None:
    url = f"{secure_url}?cacertfile={certificates / 'ours.pem'}"
    with open_connection(url, "test") as opened:
        queue = opened.channel().queue_declare("", auto_delete=True, exclusive=False).method.queue

    assert publish(url, [Outgoing("", queue, b"secret", mandatory=True)], 10) == [""]


@pytest.mark.parametrize("option", ["", "?cacertfile={}/other.pem"])
def test_a_broker_that_is_not_trusted_is_told_at_once_in_one_line(
    secure_url: str, certificates: Path, option: str
) -> None:
    url = secure_url + option.format(certificates)
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        open_connection(url, "test")
    with pytest.raises(InputError) as linked, open_link(url, "test", 5):
        pass
    assert time.monotonic() - began < 4
    assert caught.value.code == linked.value.code == "broker_certificate"
    assert caught.value.user_message == linked.value.user_message
    assert re.fullmatch(
        r"The broker amqps://127.0.0.1:\d+ cannot be trusted: its certificate is not valid: "
        r"self-signed certificate. "
        r"Name the certificate of its CA in CV_RABBITMQ_URL, as \?cacertfile=/path/ca.pem.",
        caught.value.user_message,
    )


def test_a_certificate_that_is_none_is_the_callers_mistake(rabbitmq: RabbitMQ, certificates: Path) -> None:
    for url, why in [
        (f"amqps://host/?cacertfile={certificates}/nowhere.pem", "nowhere.pem': No such file or directory"),
        (f"amqps://host/?cacertfile={certificates}/ours.key", "ours.key': holds no certificate"),
        (f"amqp://host/?cacertfile={certificates}/ours.pem", "cacertfile goes with amqps://"),
    ]:
        with pytest.raises(InputError, match=re.escape(why)):
            connection_parameters(url, "test")
    with pytest.raises(InfrastructureError, match="no TLS came about"):
        open_connection(rabbitmq.url.replace("amqp:", "amqps:"), "test")


def test_an_operator_sees_whose_connection_it_is(rabbitmq: RabbitMQ) -> None:
    with open_connection(rabbitmq.url, "the name of it"):
        listed = rabbitmq.ctl("list_connections", "client_properties", "timeout", "--formatter=json")
    assert "the name of it" in listed
    assert json.loads(listed)[0]["timeout"] == connection.HEARTBEAT_SECONDS
