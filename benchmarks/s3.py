"""Reading and storing on S3 against bare boto3 with as many threads; the server is moto, in its own process."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
from botocore.config import Config

from benchmarks.measure import Figure, figure, free_port, seconds
from cv_pipelines.errors import InfrastructureError
from cv_pipelines.images.sources.ahead import map_ahead
from cv_pipelines.images.sources.s3 import s3_source
from cv_pipelines.storage.s3 import open_s3

OBJECTS = 400
BYTES = 200_000
PACKS = 24
PACK_BYTES = 16 * 1024**2


def measure(rounds: int) -> list[Figure]:
    """At least 0.7 times the throughput: of a source's photos, and of packs written and read in ranges."""
    with _server() as address:
        os.environ |= {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        client = boto3.client("s3")
        client.create_bucket(Bucket="photos")
        client.create_bucket(Bucket="store")
        for number in range(OBJECTS):
            client.put_object(Bucket="photos", Key=f"cat/{number:05}.jpg", Body=os.urandom(BYTES))
        return [_source(rounds), _packs(rounds)]


def _source(rounds: int) -> Figure:
    source = s3_source("s3://photos")
    client = boto3.client("s3", config=Config(max_pool_connections=source.threads))
    keys = [f"cat/{number:05}.jpg" for number in range(OBJECTS)]

    def bare() -> None:
        with ThreadPoolExecutor(source.threads) as pool:
            list(pool.map(lambda key: client.get_object(Bucket="photos", Key=key)["Body"].read(), keys))

    def ours() -> None:
        for _ in map_ahead(source.read, list(source.items()), source.threads):
            pass

    return _compared("listing and reading a source on S3", bare, ours, OBJECTS * BYTES, rounds)


def _packs(rounds: int) -> Figure:
    store, data, threads = open_s3("store", ""), os.urandom(PACK_BYTES), 4
    client = boto3.client("s3")

    def bare(number: int) -> None:
        client.put_object(Bucket="store", Key=f"bare/{number}", Body=data)
        client.get_object(Bucket="store", Key=f"bare/{number}", Range=f"bytes=100-{BYTES}")["Body"].read()

    def ours(number: int) -> None:
        store.replace(f"packs/{number}", data)
        store.read(f"packs/{number}", 100, BYTES)

    def run(work: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(PACKS)))

    return _compared("storing packs on S3", lambda: run(bare), lambda: run(ours), PACKS * PACK_BYTES, rounds)


def _compared(name: str, bare: Callable[[], None], ours: Callable[[], None], size: int, rounds: int) -> Figure:
    bare()
    ours()
    times = [(seconds(bare), seconds(ours)) for _ in range(rounds)]
    plain, own = min(times, key=lambda pair: pair[1])
    detail = f"{size / own / 1e6:,.0f} MB/s against {size / plain / 1e6:,.0f} MB/s"
    return figure(f"{name} / bare boto3, in MB/s", [plain / own for plain, own in times], 0.7, False, detail)


@contextmanager
def _server() -> Iterator[str]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise InfrastructureError("no_server", "moto's server does not start.")
        yield address
    finally:
        process.terminate()
        process.wait()
