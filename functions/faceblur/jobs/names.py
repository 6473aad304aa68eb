"""Names of executions.

A job's first execution is named after the job. Each that does the job again has its number behind that: `{job_id}-1`.
"""


def execution_name(arn: str) -> str:
    """The name of the execution with this ARN."""
    return arn.rpartition(":")[2]


def job_of(execution_name: str) -> str:
    """The id of the job on which the execution with this name works."""
    return execution_name.partition("-")[0]
