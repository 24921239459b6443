"""Connections to RabbitMQ, and what goes wrong with them in words."""

import logging
import re
import ssl
from typing import Any

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, ConnectionClosedByBroker
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from cv_pipelines.errors import CvError, InfrastructureError, InputError

HEARTBEAT_SECONDS = 30
BLOCKED_SECONDS = 10
"""A broker short of memory or disk does not read from who publishes; after this the connection is given up."""
CONNECT_SECONDS = 5
"""Of all attempts together to begin a connection: a broker that has just restarted may need a second one."""

# what the broker says when it closes: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused …'
_ANSWER = re.compile(r"\((?P<code>\d{3})\) ['\"](?P<text>.*)['\"]", re.DOTALL)
_CONNECTION_FORCED, _ACCESS_REFUSED, _NOT_ALLOWED = 320, 403, 530
_PASSES = ("is down", "limit")
"""What makes the broker refuse a vhost for a while only."""

# pika logs errors with their stacks before it raises them; here each of them becomes one sentence
logging.getLogger("pika").setLevel(logging.CRITICAL)


class _Parameters(pika.URLParameters):
    """With one more option of URLs: `?cacertfile=` of an `amqps://` one, a file of the certificates to trust."""

    def _set_url_cacertfile(self, path: str) -> None:
        if self.ssl_options is None:
            raise ValueError("cacertfile goes with amqps://")
        try:
            context = ssl.create_default_context(cafile=path)
        except OSError as error:
            why = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError(f"its cacertfile '{path}': {why}") from error
        self.ssl_options = pika.SSLOptions(context)


def open_connection(url: str, name: str) -> "pika.BlockingConnection":
    """Connect, for a few questions and answers; what carries messages uses `cv_pipelines.broker.link`.

    Args:
        url: `amqp://user:password@host:port/vhost`, or `amqps://…`.
        name: what an operator sees in the broker's list of connections.

    Raises:
        InputError: the URL, the credentials or the vhost are wrong.
        InfrastructureError: the broker does not answer, asked for some seconds.
    """
    parameters = connection_parameters(url, name)
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, connection_errors()) and not _is_final(error)),
        stop=stop_after_delay(CONNECT_SECONDS),
        wait=wait_exponential_jitter(multiplier=0.1, max=1),
        reraise=True,
    )
    try:
        return attempts(pika.BlockingConnection, parameters)
    except connection_errors() as error:
        raise to_cv_error(error, parameters) from error


def connection_parameters(url: str, name: str) -> "pika.URLParameters":
    """What a URL says, with the limits of ours.

    Raises:
        InputError: it is no URL of a broker.
    """
    try:
        if not re.match("amqps?://[^/?#]", url):
            raise ValueError("it must look like amqp://user:password@host:5672/vhost")
        parameters = _Parameters(url)
        parameters.heartbeat = HEARTBEAT_SECONDS
        parameters.blocked_connection_timeout = BLOCKED_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = CONNECT_SECONDS
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": name}
    except (ValueError, TypeError, AttributeError, SyntaxError) as error:  # what pika makes of what
        reason = str(error) if type(error) is ValueError else "user, password or an option cannot be read"
        raise InputError("broker_url", f"CV_RABBITMQ_URL is not a URL of a broker: {reason}.") from error
    return parameters


def connection_errors() -> tuple[type[Exception], ...]:
    """What connecting raises, for `except`."""
    return AMQPError, AMQPConnectorException, OSError


def to_cv_error(error: BaseException, parameters: Any) -> CvError:
    """The error of ours that stands for one of pika's or of a socket; asking again helps no wrong password."""
    scheme = "amqps" if parameters.ssl_options else "amqp"
    where = f"{scheme}://{parameters.host}:{parameters.port}"
    words = reason(error)
    if is_refusal(error):
        message = f"The broker {where} refuses access: {words}. Check user, password and vhost in CV_RABBITMQ_URL."
        return InputError("broker_access", message, repr(error))
    if _is_distrusted(error):
        message = (
            f"The broker {where} cannot be trusted: {words}. "
            "Name the certificate of its CA in CV_RABBITMQ_URL, as ?cacertfile=/path/ca.pem."
        )
        return InputError("broker_certificate", message, repr(error))
    if isinstance(error, ChannelClosedByBroker):
        return InfrastructureError("broker", f"The broker {where} refuses: {words}.", repr(error))
    message = f"The broker {where} does not answer: {words}. Check CV_RABBITMQ_URL and that the server runs."
    return InfrastructureError("broker", message, repr(error))


def reply_code(error: BaseException) -> int:
    """The broker's number for why it closed a channel or a connection; 0 where it did not."""
    found = _ANSWER.search(repr(error))
    return int(found["code"]) if found else 0


def reason(error: BaseException) -> str:
    """Why it failed, in words: the end of a sentence, without its full stop."""
    if found := _ANSWER.search(repr(error)):
        return found["text"].rstrip(". ")
    cause = _innermost(error)
    if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
        return "nothing came back in time"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {cause.verify_message.rstrip('. ')}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS came about ({cause.reason})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause).rstrip(". ") or type(cause).__name__


def _innermost(error: BaseException) -> BaseException:
    """What pika wraps several times over: its own errors hold others as attribute or argument."""
    held = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args[:1]]
    inner = [one for one in held if isinstance(one, BaseException)]
    return _innermost(inner[-1]) if inner else error


def is_refusal(error: BaseException) -> bool:
    """Whether the broker answered, and does not let this user in or not to there."""
    refused = reply_code(error) in {_ACCESS_REFUSED, _NOT_ALLOWED}
    return refused and not any(part in repr(error) for part in _PASSES)


def is_answer(error: BaseException | None) -> bool:
    """Whether the broker has closed for what it was sent; it has not stopped, and no operator broke us off."""
    if not isinstance(error, ChannelClosedByBroker | ConnectionClosedByBroker):
        return False
    return bool(error.reply_code != _CONNECTION_FORCED)


def _is_distrusted(error: BaseException) -> bool:
    return isinstance(_innermost(error), ssl.SSLCertVerificationError)


def _is_final(error: BaseException) -> bool:
    """Whether asking again helps nobody."""
    return is_refusal(error) or _is_distrusted(error)
