"""A list read page by page holds every row once, whatever comes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Double, Integer, MetaData, Table, Uuid, create_engine, insert, select

from patterns.pages import MOMENT_AND_ID, Page

metadata = MetaData()
things = Table("things", metadata, Column("id", Uuid, primary_key=True), Column("at", Double), Column("number", Integer))
KEY = (things.c.at, things.c.id)


@pytest.fixture
def session() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        yield connection


def add(session: Connection, *numbers: int, at: float) -> None:
    session.execute(insert(things), [{"id": UUID(int=number), "at": at, "number": number} for number in numbers])


def read(session: Connection, limit: int, after: tuple[Any, ...], newest_first: bool) -> tuple[list[int], list[str]]:
    links: list[str] = []
    page = Page(limit, after, newest_first=newest_first, link=links.append)
    rows = page.cut(session.execute(page.of(select(things), *KEY)).all(), "at", "id")
    return [row.number for row in rows], links


def following(link: str) -> tuple[float, UUID]:
    moment, _, key = link.partition("_")
    return float(moment), UUID(key)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
def test_the_pages_together_are_the_list(session: Connection, limit: int, newest_first: bool) -> None:
    add(session, 1, 2, 3, at=1.5)  # rows of one moment are told apart by their id
    add(session, 4, 5, 6, at=2.123456)
    add(session, 7, at=0.1 + 0.2)  # a float that has to come back as it was
    found, after, pages = [], (), 0
    while True:
        numbers, links = read(session, limit, after, newest_first)
        assert len(numbers) <= limit
        found, pages = found + numbers, pages + 1
        if not links:
            break
        after = following(links[0])
    in_time = [7, 1, 2, 3, 4, 5, 6]
    assert found == (in_time[::-1] if newest_first else in_time)
    assert pages == -(-7 // limit)


def test_rows_that_come_meanwhile_shift_no_page(session: Connection) -> None:
    add(session, 1, 2, 3, 4, at=1.0)
    first, [link] = read(session, 2, (), True)
    add(session, 5, 6, at=2.0)
    second, links = read(session, 2, following(link), True)
    assert (first, second, links) == ([4, 3], [2, 1], [])


def test_an_empty_list_is_one_empty_page(session: Connection) -> None:
    assert read(session, 5, (), True) == ([], [])


def test_what_stands_in_a_link_is_what_may_be_asked_for(session: Connection) -> None:
    import re

    add(session, 1, 2, at=1795267889.2243686)
    _, [link] = read(session, 1, (), True)
    assert re.fullmatch(MOMENT_AND_ID, link)
