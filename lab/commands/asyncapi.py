"""``orderflow asyncapi``: all messages as an AsyncAPI document."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from patterns.errors import SettingsError
from patterns.settings import MODES
from patterns.shop import SERVICES


def asyncapi(
    service: Annotated[str, typer.Option(help="only what this service sends and receives")] = "",
    mode: Annotated[str, typer.Option(help="only this mode")] = "",
    write: Annotated[bool, typer.Option(help="write docs/asyncapi.yaml and docs/messages.md anew")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Print every message, channel and operation as an AsyncAPI 3.0 document."""
    from lab import messages
    from patterns.asyncapi import as_yaml

    if write:
        messages.refresh()
        return
    for given, known in ((service, SERVICES), (mode, MODES)):
        if given and given not in known:
            raise SettingsError(f"{given} is not known here; there are {', '.join(known)}")
    described = messages.described((mode,) if mode else MODES, service)
    print(json.dumps(described, indent=2) if as_json else as_yaml(described), end="\n" if as_json else "")
