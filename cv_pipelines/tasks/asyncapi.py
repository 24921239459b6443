"""The contract as an AsyncAPI 3.0 document: where messages go, and what they are.

The words are those of https://www.asyncapi.com/docs/reference/specification/v3.0.0; "receive" and "send" are what
the platform does. Schemas are beside it, in files of their own.
"""

from collections.abc import Mapping
from typing import Any

from cv_pipelines.broker.topology import STATUS_EXCHANGE, TASKS
from cv_pipelines.tasks.message import UNKNOWN
from cv_pipelines.tasks.states import FINAL, State

_BINDING = "0.3.0"
_STATES: tuple[State, ...] = ("queued", "running", *FINAL)
_CORRELATION = {"location": "$message.header#/correlation_id"}


def asyncapi_document(tasks: Mapping[str, str], status: str) -> dict[str, Any]:
    """Describe the platform as a partner in messages.

    Args:
        tasks: name of the schema's file by kind.
        status: name of the file of status messages' schema.
    """
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "cv_pipelines tasks",
            "version": "1.0.0",
            "description": "Tasks in, numbered status out, each at least once. A task_id names one task for ever.",
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": _channels(list(tasks)),
        "operations": _operations(list(tasks)),
        "components": {"messages": _messages(tasks, status)},
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:5672",
        "protocol": "amqp",
        "protocolVersion": "0-9-1",
        "description": "RabbitMQ, from 3.10 on.",
        "variables": {"host": {"default": "localhost"}},
    }


def _channels(kinds: list[str]) -> dict[str, Any]:
    status = {"status": {"$ref": "#/components/messages/status"}}
    on_broker = {"servers": [{"$ref": "#/servers/broker"}]}
    queue = {"name": TASKS, "durable": True, "exclusive": False, "autoDelete": False}
    exchange = {"name": STATUS_EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "tasks": {
            "address": TASKS,
            "description": "The queue of tasks; published to by the default exchange, persistent, with confirms.",
            "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
            **on_broker,
            "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": _BINDING}},
        },
        "status": {
            "address": "{kind}.{state}",
            "description": "Every status of every task and rejected message; the address is the routing key.",
            "parameters": {"kind": {"enum": [*kinds, UNKNOWN]}, "state": {"enum": list(_STATES)}},
            "messages": status,
            **on_broker,
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}},
        },
        "reply": {
            "address": None,
            "description": "The queue that reply_to names: the final status of its task, or that it was rejected.",
            "messages": status,
            **on_broker,
        },
        "webhook": {
            "address": None,
            "description": "The URL that reply.webhook names: every status of its task.",
            "messages": {"webhook": {"$ref": "#/components/messages/webhook"}},
        },
    }


def _operations(kinds: list[str]) -> dict[str, Any]:
    reply = {
        "address": {"location": "$message.header#/reply_to"},
        "channel": {"$ref": "#/channels/reply"},
        "messages": [{"$ref": "#/channels/reply/messages/status"}],
    }
    return {
        "takeTask": {
            "action": "receive",
            "channel": {"$ref": "#/channels/tasks"},
            "summary": "Take a task; what cannot be one becomes a dead letter, and its sender is told.",
            "messages": [{"$ref": f"#/channels/tasks/messages/{kind}"} for kind in kinds],
            "bindings": {"amqp": {"ack": True, "bindingVersion": _BINDING}},
            "reply": reply,
        },
        "publishStatus": {
            "action": "send",
            "channel": {"$ref": "#/channels/status"},
            "summary": "Tell everybody who listens what has become of a task.",
            "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": _BINDING}},
        },
        "postStatus": {
            "action": "send",
            "channel": {"$ref": "#/channels/webhook"},
            "summary": "Tell a webhook; any answer but 2xx within 5 s is tried again, a bounded number of times.",
            "bindings": {"http": {"method": "POST", "bindingVersion": _BINDING}},
        },
    }


def _messages(tasks: Mapping[str, str], status: str) -> dict[str, Any]:
    amqp = {
        "type": "object",
        "properties": {
            "message_id": {"type": "string", "description": "The task_id, where it is given."},
            "reply_to": {"type": "string", "description": "As reply.reply_to."},
            "correlation_id": {"type": "string", "description": "As reply.correlation_id."},
        },
    }
    signed = {
        "type": "object",
        "properties": {
            "X-Signature-256": {"type": "string", "description": "sha256= and the HMAC-SHA256 (hex) of the body."},
            "X-Task-Id": {"type": "string"},
            "X-Event-Number": {"type": "string"},
        },
    }
    told = {"contentType": "application/json", "payload": {"$ref": f"./{status}"}}
    messages: dict[str, Any] = {
        kind: {
            "name": kind,
            "contentType": "application/json",
            "correlationId": _CORRELATION,
            "headers": amqp,
            "payload": {"$ref": f"./{name}"},
        }
        for kind, name in tasks.items()
    }
    messages["status"] = {"name": "status", "correlationId": _CORRELATION, **told}
    messages["webhook"] = {"name": "webhook", "headers": signed, **told}
    return messages
