"""Names of executions.

A job's first execution is named `{job_id}`, its first redo `{job_id}-1`, the second `{job_id}-2`, and so on.
"""


def execution_name(arn: str) -> str:
    """The name of the execution with this ARN."""
    return arn.rpartition(":")[2]


def job_of(execution_name: str) -> str:
    """The id of the job on which the execution with this name works."""
    return execution_name.partition("-")[0]
