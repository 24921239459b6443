"""The messages of the contract: what a caller sends, and what it is told.

A message of a kind is a model of its own, made from the kind; together they are a union that `kind` decides.
Nothing is converted: `"5"` and `5.0` are no integers. A field that is added later has a default, so that a
message of before stays what it was.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, TypeAdapter, create_model

from cv_pipelines.tasks.fields import Moment, ShortText, TaskId, Text, WebUrl
from cv_pipelines.tasks.kinds.protocol import Params, TaskKind
from cv_pipelines.tasks.kinds.registry import KINDS
from cv_pipelines.tasks.problem import TaskError
from cv_pipelines.tasks.states import State

TASK_SCHEMA: Final = "cv.task/v1"
STATUS_SCHEMA: Final = "cv.status/v1"
UNKNOWN: Final = "unknown"
"""The kind that is told of a message that names none."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


class QueueReply(_Strict):
    """The final status goes to a queue of the broker."""

    reply_to: ShortText = Field(
        description="Name of the queue; the AMQP property says the same where it is given."
    )
    correlation_id: ShortText | None = Field(None, description="Comes back as the AMQP property.")


class WebhookReply(_Strict):
    """Every status goes to a URL, by POST."""

    webhook: WebUrl = Field(description="An http or https URL of a public address; redirects are not followed.")


def _way(reply: object) -> str | None:
    """Which of the two a reply means to be."""
    if isinstance(reply, dict):
        return "webhook" if "webhook" in reply else "queue"
    if isinstance(reply, QueueReply):
        return "queue"
    return "webhook" if isinstance(reply, WebhookReply) else None


Reply = Annotated[
    Annotated[QueueReply, Tag("queue")] | Annotated[WebhookReply, Tag("webhook")],
    Discriminator(_way, "reply", "must be an object with reply_to or webhook, or null"),
]


class TaskMessage(_Strict):
    """A task that somebody wants done."""

    schema_: Literal["cv.task/v1"] = Field(alias="schema", description="Version of this contract.")
    task_id: TaskId = Field(description="The caller's name for the task: the AMQP message_id says the same.")
    kind: str
    params: Params
    priority: int = Field(4, ge=0, le=9, description="Higher comes first; among equals the older one.")
    deadline: Moment | None = Field(None, description="The latest useful finish; after it the task expires.")
    reply: Reply | None = Field(None, description="Who is told, beside the exchange cv.status.")
    submitted_by: Annotated[Text, StringConstraints(max_length=128)] = Field("", description="For people.")


def _message_of(kind: TaskKind) -> type[TaskMessage]:
    """The model of the messages of one kind."""
    name = "".join(part.title() for part in kind.name.split("_"))
    fields: dict[str, Any] = {"kind": (Literal[kind.name], ...), "params": (kind.params, ...)}
    model: type[TaskMessage] = create_model(
        f"{name}Task", __base__=TaskMessage, __doc__=kind.description, **fields
    )
    return model


MESSAGES: dict[str, type[TaskMessage]] = {kind.name: _message_of(kind) for kind in KINDS}
"""The model of each kind's messages."""
_ANY: Any = Annotated[reduce(or_, MESSAGES.values()), Field(discriminator="kind")]
TASKS: TypeAdapter[TaskMessage] = TypeAdapter(_ANY)
"""A message of any kind."""


class StatusMessage(_Strict):
    """What has become of a task, or that a message could be none (`rejected`); numbered, sent at least once."""

    schema_: Literal["cv.status/v1"] = Field(
        STATUS_SCHEMA, alias="schema", description="Version of this contract."
    )
    task_id: TaskId | None = Field(description="Null: of a message that was rejected, and named none properly.")
    kind: str = Field(description="'unknown': of a message that was rejected, and named none that there is.")
    number: int = Field(
        ge=1, description="1, 2, … for each task, and for each rejected message: drop what you have had."
    )
    state: State
    progress: float | None = Field(None, ge=0, le=1, description="Share that is done.")
    result: dict[str, Any] | None = Field(None, description="Of a task that has succeeded.")
    error: TaskError | None = Field(None, description="Of a task that has not, also of one that is tried again.")
    at: Moment = Field(description="When it happened, by the database's clock.")
