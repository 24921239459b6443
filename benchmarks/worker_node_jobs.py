"""Jobs of the benchmark of worker nodes; the containers of their steps load this file, too."""

import os
import time
from pathlib import Path

from dagster import Definitions, OpExecutionContext, job, op
from dagster_docker import docker_executor

from cv_pipelines.execution.swarm_executor import swarm_executor

IMAGES, SIZE, EPOCHS = 2_000, 32, 12
_MOUNTS = [mount for mount in os.environ.get("CV_SWARM_MOUNTS", "").split(",") if mount]
_NAMES = [name for name in os.environ.get("CV_SWARM_ENV", "").split(",") if name and name in os.environ]
plain = docker_executor.configured(
    {
        "image": os.environ.get("CV_BENCH_IMAGE", "none"),
        "env_vars": _NAMES,
        "container_kwargs": {"volumes": _MOUNTS, "auto_remove": True},
    },
    name="docker",
)


def leave(context: OpExecutionContext, text: object) -> None:
    """Leave a line where the benchmark finds it."""
    with Path(os.environ["CV_TEST_MARKS"], context.run_id).open("a") as file:
        file.write(f"{context.op.name}|0|node|gpus|{text}\n")


@op
def tell_time(context: OpExecutionContext) -> None:
    """Say when user code runs."""
    leave(context, time.time())


@op(tags={"cv/gpus": "1"})
def short(context: OpExecutionContext) -> None:
    """Work for a second."""
    time.sleep(1.0)
    leave(context, time.time())


@op
def learn(context: OpExecutionContext) -> None:
    """Train, and say how long it took."""
    leave(context, fit_seconds())


def fit_seconds() -> float:
    """Seconds of a training, libraries loaded and the model compiled."""
    import keras
    import numpy as np

    random = np.random.default_rng(0)
    pixels = random.random((IMAGES, SIZE, SIZE, 3), np.float32)
    labels = random.integers(0, 10, IMAGES)
    layers = [keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.Conv2D(64, 3, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pixels[:64], labels[:64], verbose=0)
    started = time.perf_counter()
    model.fit(pixels, labels, epochs=EPOCHS, verbose=0)
    return time.perf_counter() - started


@job(executor_def=swarm_executor)
def on_swarm() -> None:
    """One step on a worker node."""
    tell_time()


@job(executor_def=plain)
def on_docker() -> None:
    """The same by Dagster's own executor."""
    tell_time()


@job(executor_def=swarm_executor)
def twenty() -> None:
    """Twenty short steps with a GPU each."""
    for number in range(20):
        short.alias(f"short_{number}")()


@job(executor_def=swarm_executor)
def learning() -> None:
    """One step that trains."""
    learn()


defs = Definitions(jobs=[on_swarm, on_docker, twenty, learning])
