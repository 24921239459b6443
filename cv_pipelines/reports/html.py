"""The report as one HTML file that needs nothing else."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cv_pipelines.catalog import Catalog
from cv_pipelines.images.contact_sheet import sheet_of
from cv_pipelines.images.stored import stored_images
from cv_pipelines.reports import figures
from cv_pipelines.reports.summary import Loop, checks_of, summarise

_MOST_MISTAKES = 24


def render_report(catalog: Catalog, loop: Loop) -> str:
    """Render the loop of a data set: figures, checks and pictures; names are escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        summary=summarise(loop),
        checks=checks_of(loop),
        evaluation=loop.facts("champion_evaluation"),
        card=loop.facts("champion_model"),
        refusal=loop.refusal,
        pictures=_pictures(catalog, loop),
        quarantine=_quarantine(loop),
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def write_report(catalog: Catalog, loop: Loop, folder: Path) -> Path:
    """Write the report of a data set; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{loop.dataset}.html"
    path.write_text(render_report(catalog, loop), encoding="utf-8")
    return path


def _pictures(catalog: Catalog, loop: Loop) -> list[tuple[str, str]]:
    """Titles and data URLs of what there is to show."""
    found: list[tuple[str, bytes, str]] = []
    manifest = loop.bundles["image_manifest"]
    if manifest:
        images = stored_images(manifest)
        found.append(("Images", sheet_of(images, images.ids.to_pylist()), "image/jpeg"))
    if labels := loop.facts("labels"):
        found.append(("Images of each class", figures.class_histogram(labels["counts"]), "image/png"))
    if card := loop.facts("champion_model"):
        found.append(("Training", figures.training_curves(card["history"]), "image/png"))
    if evaluation := loop.facts("champion_evaluation"):
        matrix = evaluation["confusion"]
        picture = figures.confusion_matrix(matrix["classes"], matrix["counts"])
        found.append(("Confusion on the test split", picture, "image/png"))
        bins = evaluation["calibration"]["bins"]
        found.append(("Can its confidence be believed?", figures.reliability(bins), "image/png"))
    if manifest and (mistakes := _mistakes(loop)):
        sheet = sheet_of(stored_images(manifest), mistakes)
        found.append(("Mistakes on the test split", sheet, "image/jpeg"))
    if drift := loop.facts("prediction_drift"):
        found.append(("Drift", figures.drift_bars(drift["indices"], drift["limit"]), "image/png"))
    return [(title, f"data:{kind};base64,{base64.b64encode(data).decode()}") for title, data, kind in found]


def _mistakes(loop: Loop) -> list[str]:
    """Ids of test images that the model gets wrong."""
    evaluation = loop.bundles["champion_evaluation"]
    if not evaluation:
        return []
    answers = evaluation.table("answers", ["image_id", "label", "predicted"]).to_pylist()
    return [row["image_id"] for row in answers if row["label"] != row["predicted"]][:_MOST_MISTAKES]


def _quarantine(loop: Loop) -> list[dict[str, Any]]:
    manifest = loop.bundles["image_manifest"]
    rows: list[dict[str, Any]] = manifest.table("quarantine").slice(0, 50).to_pylist() if manifest else []
    return rows
