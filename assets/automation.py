"""When assets are made without anybody asking. The sensor that acts on it is off until switched on."""

from dagster import AutomationCondition

_FREE = ~AutomationCondition.in_progress() & ~AutomationCondition.any_deps_in_progress()
_READY = ~AutomationCondition.any_deps_missing() & AutomationCondition.all_deps_blocking_checks_passed()

RETRAIN = (
    AutomationCondition.any_deps_match(AutomationCondition.data_version_changed())
    .since_last_handled()
    .with_label("data or labels changed")
    & _READY
    & _FREE
)
"""Data, labels or splits have another version, and their blocking checks have passed."""

FOLLOW = (
    AutomationCondition.any_deps_match(
        AutomationCondition.newly_updated() | AutomationCondition.will_be_requested()
    )
    .since_last_handled()
    .with_label("something above is new")
    & _READY
    & _FREE
)
"""What stands above a model has changed: judge, promote and predict again."""
