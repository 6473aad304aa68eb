"""The content of the web page, wherever it is served: its built files, its `config.json` and its headers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faceblur_cli import project
from faceblur_cli.failures import Failure

API, CONFIG = "/api", "config.json"
# Vite puts a digest of the content into these files' names. The names of all other files stay the same.
ASSETS = "assets/"
NO_CACHE = "no-cache"


def built_page() -> Path:
    """The folder of the built page. Raises Failure if it is not built."""
    if not (project.PAGE / "index.html").exists():
        raise Failure("The web page is not built. Build it with `make page`.")
    return project.PAGE


def config(outputs: Mapping[str, str]) -> bytes:
    """The page's `config.json`: where the API is and, if the stack requires sign-in, the issuer of its tokens."""
    content: dict[str, Any] = {"api": API}
    if "SignInIssuer" in outputs:
        content["signIn"] = {"issuer": outputs["SignInIssuer"], "clientId": outputs["SignInAudience"]}
    return json.dumps(content).encode()


def cache_control(path: str) -> str:
    """The Cache-Control header of a file, whose path is relative to the page's folder."""
    return "public, max-age=31536000, immutable" if path.startswith(ASSETS) else NO_CACHE


def security_headers(photos: str, issuers: str = "") -> dict[str, str]:
    """The page's security headers: it runs its own scripts and styles, and requests itself and the photos' origin.

    With sign-in it also requests the origins of the `issuers`. The template has CloudFront send the same headers.
    """
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' blob: data: {photos}",
        "connect-src": f"'self' {photos} {issuers}".rstrip(),
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
