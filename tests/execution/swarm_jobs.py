"""Jobs for tests of the tier of worker nodes; the containers of their steps load this file, too."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from dagster import (
    Definitions,
    DynamicOut,
    DynamicOutput,
    Failure,
    In,
    JobDefinition,
    Nothing,
    OpDefinition,
    OpExecutionContext,
    Out,
    RetryPolicy,
    job,
    op,
)

from cv_pipelines.errors import ResourceError
from cv_pipelines.execution.attempts import failures_of
from cv_pipelines.execution.swarm_executor import swarm_executor
from tests.execution.fake_engine import fake_executor

RETRIES, ONE_RETRY = RetryPolicy(max_retries=2, delay=0.1), RetryPolicy(max_retries=1, delay=0.1)
GPU = {"cv/gpus": "1"}
ANYWHERE = fake_executor if os.environ.get("CV_TEST_ENGINE") == "fake" else swarm_executor


def mark(context: OpExecutionContext, text: str) -> None:
    """Leave a line where the test finds it, with the node, the GPUs and the attempt."""
    folder = os.environ["CV_TEST_MARKS"]
    node, gpus = os.environ["CV_NODE"], os.environ["CUDA_VISIBLE_DEVICES"]
    words = [context.op.name, str(context.retry_number), node, gpus, text]
    with Path(folder, context.run_id).open("a") as file:
        file.write("|".join(words) + "\n")


def sleep_op(name: str, tags: dict[str, str] | None = None) -> OpDefinition:
    """An op that sleeps as long as the run's tag cv_test/seconds says."""

    @op(name=name, tags=tags or {}, retry_policy=ONE_RETRY)
    def sleeper(context: OpExecutionContext) -> None:
        mark(context, "began")
        print(f"printed by {name}", flush=True)
        time.sleep(float(context.run.tags.get("cv_test/seconds", "0")))
        mark(context, "ended")

    return sleeper


@op(retry_policy=RETRIES, tags={"cv/memory_gb": "0.6"})
def hungry(context: OpExecutionContext) -> None:
    """Takes as much memory as its tag says, halved with each failure for want of it."""
    failures = failures_of(context, ResourceError)
    mark(context, f"failures={failures}")
    size = int(float(context.run.tags["cv_test/gb"]) * 1e9) >> failures
    held = bytearray(size)
    held[::4096] = b"x" * len(held[::4096])
    mark(context, "fed")


@op(retry_policy=RETRIES)
def dies(context: OpExecutionContext) -> None:
    """Ends its process without a word."""
    print("last words", flush=True)
    mark(context, "began")
    os._exit(7)


@op(retry_policy=RETRIES)
def refuses(context: OpExecutionContext) -> None:
    """Fails of its caller's mistake."""
    mark(context, "began")
    raise Failure("not with me", allow_retries=False)


plain = sleep_op("plain")


@job(executor_def=ANYWHERE)
def one() -> None:
    """One step without wishes."""
    plain()


@job(executor_def=ANYWHERE)
def three_gpus() -> None:
    """Three steps that need a GPU each."""
    for number in range(3):
        sleep_op(f"gpu_{number}", GPU)()


@job(executor_def=ANYWHERE)
def one_gpu() -> None:
    """One step with a GPU."""
    sleep_op("learn", GPU)()


@job(executor_def=ANYWHERE)
def out_of_memory() -> None:
    """One step that needs too much."""
    hungry()


@job(executor_def=ANYWHERE)
def dying() -> None:
    """One step that dies, beside one that does not."""
    dies()
    plain()


@job(executor_def=ANYWHERE)
def refusing() -> None:
    """One step that fails for good."""
    refuses()


@op(out=DynamicOut(Nothing), retry_policy=RETRIES)
def plan() -> Iterator[DynamicOutput[None]]:
    """Names three shares."""
    for number in range(3):
        yield DynamicOutput(None, mapping_key=f"{number:04d}")


@op(ins={"share": In(Nothing)}, out=Out(Nothing), retry_policy=RETRIES)
def do_share(context: OpExecutionContext) -> None:
    """Does one; the second ends its process at first."""
    share = context.get_mapping_key()
    mark(context, f"began {share}")
    if share == "0001" and context.retry_number == 0:
        os._exit(7)
    time.sleep(2)
    mark(context, f"ended {share}")


@op(ins={"shares": In(Nothing)}, retry_policy=RETRIES)
def merge(context: OpExecutionContext) -> None:
    """Comes last."""
    mark(context, "merged")


@job(executor_def=ANYWHERE)
def shares() -> None:
    """As many steps as are found to be needed, which hand on nothing but their names."""
    merge(plan().map(do_share).collect())


JOBS: list[JobDefinition] = [one, three_gpus, one_gpu, out_of_memory, dying, refusing, shares]
defs = Definitions(jobs=JOBS)
