"""Every command of README and docs/ is run, page by page, as a reader would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cv_pipelines.settings import ROOT
from tests.installation import Installation, draw_shapes

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


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(page: Path, installation: Installation, tmp_path: Path) -> None:
    draw_shapes(tmp_path / "photos" / "flowers", each=150)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**installation.environment, "HOME": str(tmp_path), "PATH": path}
    done = subprocess.run(
        ["bash", "-c", script_of(page)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_few_blocks_are_exempt_and_each_says_why() -> None:
    exempt = [block["exempt"] for page in PAGES for block in BLOCK.finditer(page.read_text()) if block["exempt"]]
    assert len(exempt) <= 2


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(((?!https?://)[^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
