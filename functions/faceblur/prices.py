"""The list prices of AWS in microdollars (millionths of a US dollar), and the prices of a job and its tasks.

The prices are those of us-east-1, on demand, without the free tier. Their source is the page `pricing` of each service,
such as https://aws.amazon.com/lambda/pricing/. The budget, the receipts and the documents use these same numbers.
"""

from math import ceil

AS_OF = "2026-11"
A_DOLLAR = 1_000_000

REKOGNITION_CALL = 1_000  # DetectFaces or DetectText, for the first million calls of a month
STATE_TRANSITION = 25  # of a STANDARD workflow
GB_SECOND = 16.6667  # of a function; one for Arm costs a fifth less
LAMBDA_REQUEST = 0.2
API_CALL = 3.5  # of a REST API
TABLE_WRITE, TABLE_READ = 0.625, 0.125  # one unit, on demand
S3_WRITE, S3_READ = 5, 0.4  # PUT, POST and LIST; GET
SQS_REQUEST = 0.4
LOG_GB = 500_000

# The longest start of a new function process: Lambda ends a longer one. Lambda bills this time too.
START_MILLISECONDS = 10_000
# The largest function that works on a photo, and its timeout.
TASK_MB, TASK_MILLISECONDS = 3008, 120_000
# The memory and the timeout of the function that writes the report of a batch.
REPORT_MB, REPORT_MILLISECONDS = 1769, 900_000


def function_time(memory_mb: int, milliseconds: float) -> float:
    """The price of a function with this memory that runs for this time."""
    return memory_mb / 1024 * milliseconds / 1000 * GB_SECOND


def _small_function() -> float:
    """The price of a call of a function that reads no photo: half a gigabyte for a second. Few calls take that long."""
    return LAMBDA_REQUEST + function_time(512, 1000)


# A job without its tasks: ten transitions (the start, the claim, four choices, the question to a person, the answer,
# the deletion of the original, the end), the functions that start, complete or fail the job, five writes and four reads
# of S3, ten units written to the table, three requests to the queue and 10 kB of logs.
JOB = ceil(
    10 * STATE_TRANSITION
    + 3 * _small_function()
    + 5 * S3_WRITE
    + 4 * S3_READ
    + 10 * TABLE_WRITE
    + 3 * SQS_REQUEST
    + 10e-6 * LOG_GB
)

# A task without its running time: the transitions of the task and of the choice after it, the call, two writes and four
# reads of S3, five writes to the table of two units each (progress, and four entries of the budget), and 5 kB of logs.
TASK = ceil(
    2 * STATE_TRANSITION + LAMBDA_REQUEST + 2 * S3_WRITE + 4 * S3_READ + 10 * TABLE_WRITE + TABLE_READ + 5e-6 * LOG_GB
)

# The most that one detection, one hiding and one check can cost, without calls of Rekognition.
WORK = 3 * ceil(TASK + function_time(TASK_MB, START_MILLISECONDS + TASK_MILLISECONDS))

# What a batch adds to a job: eight transitions (of the map and of hide_photo), two functions, eight writes of S3 (among
# them two copies and two lines), five reads of S3, and nine reads of the table.
BATCHED = ceil(8 * STATE_TRANSITION + 2 * _small_function() + 8 * S3_WRITE + 5 * S3_READ + 9 * TABLE_READ)


def start_of_a_batch(photos: int) -> int:
    """The price of starting a batch: six transitions, the longest report, and `photos` photos that pay nothing."""
    report = LAMBDA_REQUEST + function_time(REPORT_MB, REPORT_MILLISECONDS)
    return ceil(6 * STATE_TRANSITION + report + photos * BATCHED)
