"""The tier ``broker``: programs of operations on RabbitMQ and on the model, and connections cut at chosen bytes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from lab.differential.cuts import Cuts, Untrue
from lab.differential.real import RealSide
from lab.differential.search import Search, search
from lab.servers import PrivateRabbitMQ
from lab.verify.tier import Asked, Tally, Tell, Tier, Violation
from lab.verify.tiers import ROOT

OPERATIONS = {"quick": 300, "commit": 10_000, "nightly": 200_000}
SEEDS = 10_007
"""Seeds a run has for its slices."""
SLICE = 5_000
"""Operations in a slice."""
CUT_EVERY = 20
"""One connection is cut for so many operations."""
FAULTS = ("Close", "DeleteQueue", "DeleteExchange", "ChannelClosed", "ConnectionLost", "given back", "dead letters")
HARDLY = {
    "Publish": 0.05, "Settle": 0.05, "Consume": 0.02, "Get": 0.01, "Bind": 0.01, "Cancel": 0.002, "Purge": 0.002,
    "Close": 0.002, "DeleteQueue": 0.002, "Ask": 0.002, "Reply": 0.001, "delivered": 0.05, "redelivered": 0.01,
    "dead letters": 0.005, "returned": 0.005, "refused": 0.0005,
}
"""What share of the operations each of these must be, or the programs show little."""
ENDINGS = ("confirmed", "unknown, stored", "unknown, not stored", "duplicates the inbox took")
ENOUGH = 2_000
"""Operations from which on such shares mean something."""


def slices(asked: Asked) -> Iterator[Asked]:
    """Parts of what is asked."""
    left, number = asked.faults or OPERATIONS[asked.size], 0
    while left > 0:
        yield replace(asked, seed=asked.seed * SEEDS + number, faults=min(left, SLICE))
        left, number = left - SLICE, number + 1


def run(asked: Asked, tell: Tell) -> Tally:
    """Do one slice, on a RabbitMQ of its own; a run's first also sees whether wrong models are found."""
    wanted = asked.faults or OPERATIONS[asked.size]
    tally = Tally()
    with PrivateRabbitMQ(fsync=False) as server:
        _operations(server, asked, wanted, tally, tell)
        _cuts(server, asked, max(1, wanted // CUT_EVERY), tally, tell)
    return tally


def _operations(server: PrivateRabbitMQ, asked: Asked, wanted: int, tally: Tally, tell: Tell) -> None:
    real = RealSide(server.url(server.fresh_vhost()))
    done = Search(kept=[] if asked.seed % SEEDS == 0 and wanted >= ENOUGH else None)
    programs = search(real, asked.seed, done=done)

    def more() -> None:
        found = next(programs)
        tally.violations += [found] if found else []
        tell(min(1.0, done.operations / wanted) / 2)

    while done.operations < wanted:
        more()
    if done.kept is not None:
        _wrong_models(real, asked, done, more, tally)
    real.close()
    tally.runs += done.operations
    tally.seen.update(done.seen)
    tally.happened.update({name: done.seen[name] for name in FAULTS})


def _wrong_models(real: RealSide, asked: Asked, done: Search, more: Callable[[], None], tally: Tally) -> None:
    """The mutants live with the tests; from an installed wheel they are not tried."""
    if not (ROOT / "tests" / "differential").is_dir():
        return
    sys.path.append(str(ROOT))
    power = importlib.import_module("tests.differential.power")
    for name, programs in power.needed(real, done, more).items():
        if programs is None:
            tally.violations.append(Violation(f"the wrong model {name} was not found", _again(asked)))
        else:
            tally.seen[f"program that found {name}"] = programs


def _again(asked: Asked) -> str:
    return f"orderflow verify --tier broker --seed {asked.seed // SEEDS} --faults {asked.faults}"


def _cuts(server: PrivateRabbitMQ, asked: Asked, wanted: int, tally: Tally, tell: Tell) -> None:
    cuts = Cuts(server, asked.seed)
    try:
        while cuts.happened.total() < wanted:
            cuts.episode()
            tell(0.5 + cuts.happened.total() / wanted / 2)
    except Untrue as error:
        tally.violations.append(Violation(f"connection cut: {error}", _again(asked)))
    finally:
        cuts.close()
    tally.runs += cuts.happened.total()
    tally.happened.update(cuts.happened)
    tally.seen.update({f"cut, {name}": count for name, count in cuts.seen.items()})


def judge(_: Asked, tally: Tally) -> list[str]:
    """What of all this hardly came."""
    operations = tally.runs
    if operations < ENOUGH:
        return []
    few = [f"{name}: {tally.seen[name]} in {operations:,} operations" for name, share in HARDLY.items()
           if tally.seen[name] < share * operations]
    cut = sum(count for name, count in tally.happened.items() if name.startswith("cut"))
    return few + [f"cuts that left a message {name}: {tally.seen[f'cut, {name}']} of {cut}" for name in ENDINGS
                  if tally.seen[f"cut, {name}"] < cut / 20]


TIER = Tier(
    "broker", "the embedded broker against RabbitMQ, and connections to RabbitMQ", "operations", slices, run, judge,
    parallel=2, waits=True,
)
