"""HTTP clients for the shop's own services: httpx's, sharing one TLS context.

httpx makes a context for every client, and a client for every ``httpx.get``: 30 ms of reading certificates, each time, which
a shop that speaks plain HTTP never uses (https://www.python-httpx.org/advanced/ssl/).
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import httpx


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def client(**options: Any) -> httpx.Client:
    """An ``httpx.Client`` with these options."""
    return httpx.Client(verify=_tls(), **options)


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """``httpx.request``."""
    return httpx.request(method, url, verify=_tls(), **options)


def get(url: str, **options: Any) -> httpx.Response:
    """``httpx.get``."""
    return request("GET", url, **options)


def post(url: str, **options: Any) -> httpx.Response:
    """``httpx.post``."""
    return request("POST", url, **options)
