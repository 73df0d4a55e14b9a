"""``orderflow parked``: what the services put aside because they could not handle it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from lab.commands import console
from lab.wide import print_wide
from patterns.errors import NotFound, SettingsError
from patterns.shop import SERVICES

if TYPE_CHECKING:
    from lab.parked import Dealt, Reach

app = typer.Typer(
    no_args_is_help=True, help="What services put aside because they could not handle it: see why, send it back.")

Service = Annotated[str, typer.Option(help="one service's only")]
Kind = Annotated[str, typer.Option("--type", help="messages of one type only")]
Url = Annotated[str, typer.Option(help="where the order service is; on this machine, unless given")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be done, and do nothing")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON")]


@app.command("list")
def list_parked(
    service: Service = "", kind: Kind = "", url: Url = "", as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="of each service, the oldest so many")] = 100,
) -> None:
    """List them; they stay where they are.  Exit status 1 when some service could not be asked."""
    from lab.parked import list_all, show

    with _reach(url) as reach:
        found = list_all(reach, _services(service), kind, limit)
    if as_json:
        print(json.dumps(found.as_dict(), indent=2))
    else:
        nothing = "Nothing is parked where one could look." if found.away else "Nothing is parked."
        print_wide(console, show.listed(found) if found.messages else nothing)
        for name, waiting in found.waiting.items():
            if waiting > (seen := sum(letter.service == name for letter in found.messages)) and not kind:
                console.print(f"{name} has {waiting - seen} more (--limit).", highlight=False)
        _tell_away(found.away)
    raise typer.Exit(1 if found.away else 0)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="ID", help="as `list` shows it, or the message's own")],
    service: Service = "", url: Url = "", as_json: AsJson = False,
) -> None:
    """Tell all about one: headers, body, each reason, how its order stands, and what to do."""
    from lab import parked
    from lab.parked import show

    with _reach(url) as reach:
        found = parked.explain(reach, name, _services(service), url)
    if not found:
        raise NotFound(f"No message {name} is parked; `orderflow parked list` shows what is.")
    if as_json:
        print(json.dumps([each.as_dict() for each in found], indent=2))
        return
    for each in found:
        print_wide(console, show.explained(each))


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="as `list` shows them, or their own")] = None,
    service: Service = "", kind: Kind = "", url: Url = "", dry_run: DryRun = False, as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="all that is parked")] = False,
    force: Annotated[bool, typer.Option("--force", help="also what can never work, as things are")] = False,
) -> None:
    """Send them back to the queues they failed at, their tries forgotten; exit status 1 when one is refused or missing."""
    from lab.parked import deal_with
    from patterns.web_parked import ChosenForReplay

    if not (ids or service or kind or everything):
        raise SettingsError("Which? Name ids, --service, --type, or --all; --dry-run shows what would be sent back.")
    whole = everything or bool(service and not ids and not kind)
    chosen = ChosenForReplay(ids=ids or [], type=kind or None, all=whole, force=force, dry_run=dry_run)
    with _reach(url) as reach:
        _tell(deal_with(reach, _services(service), ids or [], lambda access: access.replay(chosen)), as_json)


@app.command()
def drop(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="as `list` shows them, or their own")],
    service: Service = "", url: Url = "", dry_run: DryRun = False, as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Throw them away, for good; exit status 1 when one is missing."""
    from lab.parked import deal_with
    from patterns.web_parked import ChosenToDrop

    if not yes and not dry_run:
        typer.confirm(f"Throw away {', '.join(ids)}? `orderflow parked explain` shows what that is.", abort=True, err=True)
    chosen = ChosenToDrop(ids=ids, dry_run=dry_run)
    with _reach(url) as reach:
        _tell(deal_with(reach, _services(service), ids, lambda access: access.drop(chosen)), as_json)


def _tell(dealt: Dealt, as_json: bool) -> None:
    from lab.parked import show

    if as_json:
        print(json.dumps(dealt.as_dict(), indent=2))
    else:
        print_wide(console, show.done(dealt.outcomes) if dealt.outcomes else "There is no such message.")
        for name in dealt.missing if dealt.outcomes else ():
            console.print(f"No message {name} is parked.", style="yellow", highlight=False, markup=False)
        _tell_away(dealt.away)
    raise typer.Exit(0 if dealt.all_well else 1)


def _tell_away(away: dict[str, str]) -> None:
    for why in list(away.values())[:1]:
        others = f"  Neither could {', '.join(list(away)[1:])}." if len(away) > 1 else ""
        told = f"{next(iter(away))} could not be asked: {why}{others}"
        console.print(told, style="yellow", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _reach(url: str) -> Iterator[Reach]:
    """The ways to the services, closed again."""
    from lab.parked import Reach

    reach = Reach(url)
    try:
        yield reach
    finally:
        reach.close()


def _services(service: str) -> tuple[str, ...]:
    if service and service not in SERVICES:
        raise SettingsError(f"{service} is no service; there are {', '.join(SERVICES)}")
    return (service,) if service else SERVICES
