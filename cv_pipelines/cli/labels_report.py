"""What reading, writing and checking labels came to, for people and for programs."""

from typing import TYPE_CHECKING, Any

from cv_pipelines.cli.output import console, errors, print_table

if TYPE_CHECKING:
    from cv_pipelines.annotations.checks import Findings
    from cv_pipelines.annotations.exchange import Exchange
    from cv_pipelines.annotations.report import Report

_SHOWN = 20


def report_of(exchange: "Exchange") -> dict[str, Any]:
    """A report as JSON has it; the first 1,000 problems, all of them counted."""
    report = exchange.report
    return {
        "images": report.images,
        "boxes": report.boxes,
        "classes": list(exchange.classes.frozen().names),
        **problems_of(report),
        "losses": [
            {"what": what, "count": count, "first": report.examples[what]} for what, count in report.losses.items()
        ],
    }


def problems_of(report: "Report") -> dict[str, Any]:
    """What was wrong as JSON has it."""
    return {
        "problem_counts": dict(report.counts),
        "problems": [{"code": one.code, "where": one.where, "message": one.message} for one in report.problems],
    }


def print_report(exchange: "Exchange") -> None:
    """Print counts, what is wrong, and what was lost."""
    report = exchange.report
    classes = len(exchange.classes.frozen())
    errors.print(
        f"{_count(report.images, 'image')}, {_count(report.boxes, 'box', 'es')}, {_count(classes, 'class', 'es')}."
    )
    print_problems(report)
    if report.losses:
        losses = [[what, count, report.examples[what]] for what, count in report.losses.most_common()]
        print_table(["not held", "times#", "first"], losses)


def print_problems(report: "Report") -> None:
    """Print what is wrong, if anything is."""
    if total := sum(report.counts.values()):
        rows = [[one.where, one.message] for one in report.problems[:_SHOWN]]
        print_table(["where", "what is wrong"], rows, _title("problem", total, len(rows)))


def print_findings(findings: "Findings") -> None:
    """Print what checks found."""
    total = sum(findings.counts.values())
    if not total:
        console.print("The checks found nothing.")
        return
    rows = [[one.code, one.image, one.message] for one in findings.first[:_SHOWN]]
    print_table(["check", "image", "what is wrong"], rows, _title("finding", total, len(rows)))
    counts = [[code, count, "yes" if code in findings.wrong else "no"] for code, count in findings.counts.items()]
    print_table(["check", "found#", "training would be wrong"], counts)


def _title(what: str, total: int, shown: int) -> str:
    one = _count(total, what)
    return f"{one}, the first {shown}:" if shown < total else f"{one}:"


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{plural if number != 1 else ''}"
