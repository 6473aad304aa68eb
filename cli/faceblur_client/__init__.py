"""A client of faceblur's API: `Client(api).hide("photo.jpg").save("hidden.jpg")`."""

from faceblur_client.clients import AsyncClient, Client
from faceblur_client.credentials import ClientCredentials
from faceblur_client.errors import (
    BudgetSpent,
    CallFailed,
    FaceblurError,
    InvalidOptions,
    JobFailed,
    NotSignedIn,
    Stopped,
    Unavailable,
    WrongAddress,
)
from faceblur_client.steps import Result

__all__ = [
    "AsyncClient",
    "BudgetSpent",
    "CallFailed",
    "Client",
    "ClientCredentials",
    "FaceblurError",
    "InvalidOptions",
    "JobFailed",
    "NotSignedIn",
    "Result",
    "Stopped",
    "Unavailable",
    "WrongAddress",
]
