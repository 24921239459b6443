from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    DagsterInstance,
    Definitions,
    MaterializeResult,
    asset,
    define_asset_job,
)

from cv_pipelines.orchestration.failed_runs import describe_failure

SPECS = [AssetCheckSpec(name, asset="images", blocking=True) for name in ("sizes", "formats", "names")]
SPECS += [AssetCheckSpec("colours", asset="images")]


def failure_of(**found: AssetCheckResult) -> dict[str, object]:
    """What is told of a run whose checks found this; the others found nothing wrong."""

    @asset(check_specs=SPECS)
    def images():  # type: ignore[no-untyped-def]  # Dagster takes an annotation for another output
        checks = [found.get(one.name, AssetCheckResult(passed=True, check_name=one.name)) for one in SPECS]
        return MaterializeResult(check_results=checks)

    job = Definitions(assets=[images], jobs=[define_asset_job("job")]).resolve_job_def("job")
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        failures = [event for event in result.all_events if event.is_step_failure]
        return describe_failure(instance, result.dagster_run, "failed", failures, "http://ui/")


def wrong(
    name: str, words: str | None, severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
) -> AssetCheckResult:
    return AssetCheckResult(passed=False, check_name=name, description=words, severity=severity)


def test_of_checks_that_stop_a_run_it_is_told_what_they_say() -> None:
    told = failure_of(
        sizes=wrong("sizes", "Image 'a' is too small."),
        formats=wrong("formats", "Convert image 'b'."),
        colours=wrong("colours", "All is grey.", AssetCheckSeverity.WARN),
    )

    assert (told["source"], told["code"], told["step"]) == ("input", "check_failed", "images")
    assert told["message"] == "Image 'a' is too small. Convert image 'b'."


def test_a_check_without_words_has_a_name_at_least() -> None:
    assert failure_of(names=wrong("names", None))["message"] == "The check 'names' has failed."
