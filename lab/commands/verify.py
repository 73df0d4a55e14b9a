"""``orderflow verify``: break the shop in every way we know, and count what held."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from lab.commands import console
from patterns.errors import SettingsError
from patterns.settings import MODES, settings


def verify(
    tier: Annotated[list[str] | None, typer.Option(
        help="simulation, broker, database, processes or mutants; again for more; all unless given")] = None,
    mode: Annotated[list[str] | None, typer.Option(help="only this mode; again for more")] = None,
    seed: Annotated[int, typer.Option(min=0, help="the same faults as another time")] = 0,
    faults: Annotated[int | None, typer.Option(min=1, help="so many faults in each tier, not its usual number")] = None,
    nightly: Annotated[bool, typer.Option("--nightly", help="hours instead of minutes")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="go on where the same command was interrupted")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
    write: Annotated[bool, typer.Option("--write", help="write the figures into docs/reliability.md")] = False,
) -> None:
    """Break it in thousands of ways that can be repeated; exit status 1 when a promise was broken or too little seen."""
    from lab.servers.memory import temporary_files_in_memory
    from lab.verify.diary import Diary
    from lab.verify.figures import write_figures
    from lab.verify.run import verify as run
    from lab.verify.screen import progress
    from lab.verify.table import as_dict, clean, show
    from lab.verify.tier import Asked
    from lab.verify.tiers import WHERE, known

    modes = tuple(mode or MODES)
    for name in modes:
        if name not in MODES:
            raise SettingsError(f"--mode: {name} is no mode; there are {', '.join(MODES)}")
    asked = Asked(size="nightly" if nightly else "commit", modes=modes, seed=seed, faults=faults)
    tiers = known(tuple(tier or ()))
    name = f"{asked.size}-{seed}-{'-'.join(modes)}-{'-'.join(tiers)}-{faults or 'usual'}.jsonl"
    diary = Diary(settings().orderflow_home / "verify" / name, resume=resume)
    with temporary_files_in_memory() as left_because, progress(Console(stderr=True), tiers) as watch:
        outcomes = run({one: WHERE[one] for one in tiers}, asked, diary, watch)
        left_because += [] if clean(outcomes) else ["Not clean"]
    if as_json:
        print(json.dumps(as_dict(outcomes), indent=2))
    else:
        show(console, outcomes)
    if write:
        Console(stderr=True).print(f"Written: {write_figures(outcomes, asked)}", highlight=False)
    raise typer.Exit(0 if clean(outcomes) else 1)
