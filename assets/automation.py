"""When assets are made without anybody asking. The sensor that acts on it is off until switched on."""

from dagster import AutomationCondition

ON_NEW_DATA = (
    AutomationCondition.any_deps_match(
        AutomationCondition.data_version_changed() | AutomationCondition.will_be_requested()
    )
    .since_last_handled()
    .with_label("what it is made of has another version")
    & ~AutomationCondition.any_deps_missing()
    & AutomationCondition.all_deps_blocking_checks_passed()
    & ~AutomationCondition.in_progress()
    & ~AutomationCondition.any_deps_in_progress()
)
"""Something above has another version, or is about to be made, and its blocking checks have passed.

A data set that was ingested again and found unchanged has the same version: nothing follows.
"""
