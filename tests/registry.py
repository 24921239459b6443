"""Registries of images of a test's own, on the network of a swarm: one that works, and one that does not."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.installation import answers, missing, wait_for
from tests.swarm import Swarm


@contextmanager
def run_registry(swarm: Swarm, folder: Path) -> Iterator[str]:
    """Start an empty registry, and stop it at the end; yields what names of its images begin with."""
    if shutil.which("docker-registry") is None:
        missing("docker-registry", "apt-get install docker-registry")
    config, log = folder / "registry.yml", folder / "registry.log"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": swarm.registry}}))
    command = [*swarm.inside("mgr"), "docker-registry", "serve", str(config)]
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        wait_for(lambda: answers(f"http://{swarm.registry}/v2/") or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield swarm.registry
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def stalled_registry(swarm: Swarm) -> Iterator[tuple[str, threading.Event]]:
    """Let whoever asks for an image wait until the end; yields what names begin with, and if one has asked."""
    asked, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/v2/":
                asked.set()
                over.wait(300)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((swarm.address, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{swarm.address}:{server.server_port}", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()
