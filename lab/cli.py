"""``orderflow``: every command, registered here in the order in which ``--help`` shows them."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from typing import NoReturn

import typer
from rich.console import Console

from lab.commands import (
    asyncapi,
    audit,
    bench,
    compare,
    doctor,
    endpoints,
    flow,
    migrate,
    order,
    parked,
    shop,
    simulate,
    torture,
    verify,
    version,
)
from patterns.errors import OrderflowError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

app.callback()(version.orderflow)
app.command()(shop.run)
app.command()(shop.serve)
app.command()(migrate.migrate)
app.command()(shop.topology)
app.command()(flow.flow)
app.command()(asyncapi.asyncapi)
app.command()(endpoints.endpoints)
app.command()(order.order)
app.command()(compare.compare)
app.command()(bench.bench)
app.command()(audit.audit)
app.command()(doctor.doctor)
app.add_typer(parked.app, name="parked")
app.command()(torture.torture)
app.command()(simulate.simulate)
app.command()(verify.verify)
app.command()(shop.reset)


def main() -> None:
    """Entry point: errors of ours are said in plain words, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except OrderflowError as error:
        _refuse(str(error))
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if (extra := _extra_with(name)) is None:
            raise
        in_repository = f".venv/bin/pip install -e '.[{extra}]'"
        _refuse(f"this needs {name}: pip install 'orderflow[{extra}]' (in the repository: {in_repository})")


def _refuse(why: str) -> NoReturn:
    Console(stderr=True).print(f"orderflow: {why}", style="red", highlight=False, markup=False, soft_wrap=True)
    sys.exit(2)


def _extra_with(name: str) -> str | None:
    """The extra of our package that brings this one; None when it is in none."""
    for requirement in metadata.requires("orderflow") or ():
        wanted = re.match(r"([\w.-]+).*extra == ['\"](\w+)", requirement)
        if wanted and wanted[1].lower() == name:
            return wanted[2]
    return None
