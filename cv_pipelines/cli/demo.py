"""`cv-pipelines demo`: the loop on real handwritten digits."""

import sys
from pathlib import Path

import click

from cv_pipelines.cli.output import console
from cv_pipelines.settings import load_settings

DATASET = "digits"


@click.command()
def demo() -> None:
    """Run the loop on scikit-learn's 1,797 handwritten digits, from PNG files to a report.

    \b
    Example:
      cv-pipelines demo
    """
    from cv_pipelines.cli.context import open_catalog
    from cv_pipelines.cli.report import print_summary, write_html
    from cv_pipelines.cli.run import run_loop
    from cv_pipelines.images.datasets import add_dataset
    from cv_pipelines.reports.summary import read_loop, summarise

    folder = load_settings().state / "landing" / DATASET
    write_digits(folder)
    catalog = open_catalog()
    add_dataset(catalog.database, DATASET, str(folder))
    result = run_loop(DATASET, {})
    skipped = [step["step"] for step in result["steps"] if step["message"].startswith("unchanged")]
    if skipped:
        console.print(f"Skipped, for nothing had changed: {', '.join(skipped)}.", soft_wrap=True)
    console.print()
    loop = read_loop(catalog, DATASET)
    print_summary(summarise(loop))
    console.print(f"\nReport with pictures: {write_html(catalog, loop)}", markup=False, soft_wrap=True)
    if not result["succeeded"]:
        sys.exit(1)
    console.print(
        "\nNext:\n"
        "  make dev                                        the same in the Dagster UI, at http://127.0.0.1:3000\n"
        "  .venv/bin/cv-pipelines dataset add NAME FOLDER  your own images: one subfolder per class\n"
        "  .venv/bin/cv-pipelines run NAME                 the loop on them",
        soft_wrap=True,
    )


def write_digits(folder: Path) -> None:
    """Write the digits as PNG files, one folder per class; files that are there stay as they are."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (pixels, target) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(target) / f"{index:04}.png"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        Image.fromarray(np.round(pixels * (255 / 16)).astype(np.uint8)).save(partial, "PNG")
        partial.replace(path)
