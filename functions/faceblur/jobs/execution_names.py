"""Names of executions.

A job's first execution is named `{job_id}`, its first redo `{job_id}-1`, the second `{job_id}-2`, and so on. A batch's
first execution is named `{batch_id}-1`.
"""


def execution_name(arn: str) -> str:
    """The name of the execution with this ARN."""
    return arn.rpartition(":")[2]


def id_in(execution_name: str) -> str:
    """The id of the job or the batch on which the execution with this name works."""
    return execution_name.partition("-")[0]
