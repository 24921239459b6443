"""Every command of README and docs/ is run, page by page, as a reader would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pika
import pytest
from sqlalchemy import make_url

from cv_pipelines.broker.topology import TASKS
from cv_pipelines.settings import ROOT
from tests.execution.worker_nodes import make_bucket, run_platform
from tests.installation import Installation, draw_film, draw_shapes, wait_for
from tests.motion.clips import camera, scene_of, views, write_clip
from tests.rabbitmq import RabbitMQ
from tests.servers import S3, Postgres
from tests.web_site import serve_web

AWS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?P<exempt><!-- no-test: .+? -->\n)?```(?P<language>bash|python)\n(?P<code>.*?)```", re.DOTALL
)


def script_of(page: Path) -> str:
    """A page's blocks as one shell script, so that what one exports the next one has."""
    lines = ["set -euo pipefail"]
    for number, block in enumerate(BLOCK.finditer(page.read_text())):
        if block["exempt"]:
            continue
        if block["language"] == "bash":
            lines.append(block["code"])
        else:
            lines.append(f"python -W ignore - <<'BLOCK{number}'\n{block['code']}BLOCK{number}")
    return "\n".join(lines)


def servers(postgres: Postgres, s3: S3, path: str) -> dict[str, str]:
    """What the page on storage leaves to its reader: a database, a bucket, and the programs of Postgres."""
    database = make_url(postgres.new_database())
    return {
        **s3.environment,
        "BUCKET": s3.new_bucket().removeprefix("s3://"),
        "DATABASE_USER": "cv",
        "DATABASE_PASSWORD": "any",
        "DATABASE_HOST": f"{database.host}:{database.port}",
        "DATABASE_NAME": database.database or "",
        "PATH": f"{path}{os.pathsep}{postgres.programs}",
    }


def shared_photos(s3: S3, photos: Path) -> dict[str, str]:
    """What the page on sources leaves to its reader: a bucket with images."""
    bucket = s3.new_bucket().removeprefix("s3://")
    for path in photos.glob("*/00?.png"):
        s3.client.upload_file(str(path), bucket, f"site-a/{path.relative_to(photos)}")
    return {**s3.environment, "BUCKET": bucket}


@contextmanager
def worker_nodes(request: pytest.FixtureRequest, folder: Path, photos: Path) -> Iterator[dict[str, str]]:
    """What the page on worker nodes leaves to its reader: a swarm, its settings, and a bucket with images."""
    folder.mkdir()
    for parent in folder.parents[:3]:  # pytest lets nobody else in
        parent.chmod(0o755)
    with run_platform(request.getfixturevalue("swarm"), folder) as platform:
        assert platform.database  # with its tables
        given = dict(platform.environment)
        make_bucket(given, "photos")
        client = S3({name: given[name] for name in AWS}).client
        for path in photos.glob("*/00?.png"):
            client.upload_file(str(path), "photos", f"site-a/{path.relative_to(photos)}")
        yield {**given, "CV_EXECUTOR": "swarm", "NODE": "w1", "BUCKET": "photos"}


def has_queue(url: str) -> bool:
    """Whether the sensor has made the queue that tasks are published to."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        try:
            connection.channel().queue_declare(TASKS, passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            return False
        return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(
    page: Path, installation: Installation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # few, for all pages work on them; networks learn from more than 300
    draw_shapes(tmp_path / "photos" / "flowers", each=101 if page.stem == "writing-a-model" else 40)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**installation.environment, "HOME": str(tmp_path), "PATH": path}
    if page.stem == "sources":
        draw_film(tmp_path / "films" / "crossing.mp4")
        environment |= shared_photos(request.getfixturevalue("s3_server"), tmp_path / "photos" / "flowers")
    if page.stem == "videos":
        draw_film(tmp_path / "films" / "crossing.mp4")
        s3: S3 = request.getfixturevalue("s3_server")
        environment |= {**s3.environment, "BUCKET": s3.new_bucket().removeprefix("s3://")}
        s3.client.upload_file(str(tmp_path / "films" / "crossing.mp4"), environment["BUCKET"], "2024/crossing.mp4")
    if page.stem == "camera-motion":
        (tmp_path / "films").mkdir()
        environment["CV_FILE_ALLOW"] = str(tmp_path / "films")
    if page.stem == "storage":
        finished: Installation = request.getfixturevalue("finished")
        shutil.copytree(finished.state, installation.state, dirs_exist_ok=True)
        environment |= servers(request.getfixturevalue("postgres"), request.getfixturevalue("s3_server"), path)
    with ExitStack() as running:
        if page.stem == "worker-nodes":
            photos = tmp_path / "photos" / "flowers"
            environment |= running.enter_context(worker_nodes(request, tmp_path / "platform", photos))
        if page.stem == "camera-motion":
            for number, name in enumerate(("pier.mp4", "reef.mp4")):
                pictures = views(scene_of(str(number), 320, 180), camera(45), 320, 180)
                write_clip(tmp_path / "films" / name, pictures)
            running.enter_context(Installation(installation.state, environment).dev())
        if page.stem in ("web", "training-from-the-page", "uploading"):
            given = running.enter_context(serve_web(Installation(installation.state, environment)))
            environment["CV_WEB_PORT"] = given.rpartition(":")[2]
        if page.stem == "messaging":
            rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
            environment |= {"CV_RABBITMQ_URL": rabbitmq.new_vhost()}
            running.enter_context(Installation(installation.state, environment).dev())
            wait_for(lambda: has_queue(environment["CV_RABBITMQ_URL"]))
        done = subprocess.run(
            ["bash", "-c", script_of(page)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_few_blocks_are_exempt_and_each_says_why() -> None:
    exempt = [block["exempt"] for page in PAGES for block in BLOCK.finditer(page.read_text()) if block["exempt"]]
    assert len(exempt) <= 6


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(((?!https?://)[^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
