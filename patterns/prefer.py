"""``Prefer`` (RFC 7240): what a client would like, and may not get."""

from __future__ import annotations

from collections.abc import Iterable


def preferred_wait(headers: Iterable[str]) -> int | None:
    """The seconds of ``Prefer: wait=SECONDS``, in any of these header lines; None when it says nothing we understand.

    The first one counts; what is malformed or unknown is ignored, as section 2 demands.
    """
    for line in headers:
        for preference in line.split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            seconds = value.strip().strip('"')
            if name.strip().lower() == "wait":
                return int(seconds) if seconds.isascii() and seconds.isdecimal() and len(seconds) < 10 else None
    return None
