"""A maze is searched from the last fork back, and every way is tried once."""

from __future__ import annotations

from lab.differential.trail import Trail


def walk(trail: Trail) -> tuple[int, ...]:
    first = trail.choose(2)
    return (first, trail.choose(3)) if first else (first, trail.choose(1), trail.choose(2))


def test_every_way_is_tried_once() -> None:
    trail = Trail()
    ways = [walk(trail)]
    while trail.turn():
        ways.append(walk(trail))
    assert ways == [(0, 0, 0), (0, 0, 1), (1, 0), (1, 1), (1, 2)]
    assert not trail.turn()


def test_from_the_entrance_the_same_way_is_taken_again() -> None:
    trail = Trail()
    walk(trail)
    trail.turn()
    way = walk(trail)
    trail.begin()
    assert walk(trail) == way
