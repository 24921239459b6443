"""An engine whose answer is lost after it has done what it was asked."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dagster import DagsterRunStatus

from tests.execution.worker_nodes import WorkerNodes
from tests.installation import free_port, wait_for


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@contextmanager
def losing_proxy(path: str, times: int, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Forward to a Docker socket, and hang up on so many creations of services once these are done.

    Yields the address, and what was lost so far.
    """
    lost: list[str] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = _UnixConnection(path)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            data = answer.read()
            if self.path.endswith("/services/create") and answer.status == 201:
                with lock:
                    if len(lost) < times:
                        lost.append(self.path)
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_HEAD = forward  # noqa: N815 - names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}", lost
    finally:
        server.shutdown()
        server.server_close()


def test_an_answer_that_is_lost_makes_no_second_container(platform: WorkerNodes) -> None:
    socket_path = platform.swarm.socket("mgr").removeprefix("unix://")
    with losing_proxy(socket_path, 2) as (address, lost):
        run_id = platform.launch("three_gpus", {"cv_test/seconds": "1"}, DOCKER_HOST=address)
        status = platform.wait(run_id).status

    assert status == DagsterRunStatus.SUCCESS
    assert len(lost) == 2
    began = [mark[0] for mark in platform.marks(run_id) if mark[4] == "began"]
    assert sorted(began) == ["gpu_0", "gpu_1", "gpu_2"]
    assert any("Docker does not answer" in one for one in platform.messages(run_id))
    assert platform.leftovers() == []


def test_a_docker_that_is_away_is_waited_for_within_bounds(platform: WorkerNodes) -> None:
    port = free_port()
    short = platform.launch("one", {"cv/max_wait_s": "2"}, DOCKER_HOST=f"tcp://127.0.0.1:{free_port()}")
    long = platform.launch("one", DOCKER_HOST=f"tcp://127.0.0.1:{port}")
    wait_for(lambda: any("Docker does not answer" in one for one in platform.messages(long)))

    with losing_proxy(platform.swarm.socket("mgr").removeprefix("unix://"), 0, port):
        assert platform.wait(long).status == DagsterRunStatus.SUCCESS
    assert platform.wait(short).status == DagsterRunStatus.FAILURE

    assert [mark[1] for mark in platform.marks(long)] == ["0", "0"], "no attempt was lost by it"
    assert platform.marks(short) == []
