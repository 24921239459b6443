"""A run worker as a launcher starts it: `run_worker.py FILE JOB RUN_ID TAGS`; a run that is there is resumed."""

import json
import sys

from dagster import DagsterInstance
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import execute_run_iterator


def main(file: str, name: str, run_id: str, tags: str) -> None:
    job = ReconstructableJob.for_file(file, name)
    with DagsterInstance.get() as instance:
        found = instance.get_run_by_id(run_id)
        run = found or instance.create_run_for_job(
            job.get_definition(), run_id=run_id, tags=json.loads(tags), job_code_origin=job.get_python_origin()
        )
        for _ in execute_run_iterator(job, run, instance, resume_from_failure=found is not None):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
