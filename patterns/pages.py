"""Long lists, page by page, by keyset: a page begins after the last row of the one before.

Unlike with page numbers, nothing is shown twice or left out when rows come meanwhile, and the thousandth page costs as
much as the first (https://use-the-index-luke.com/no-offset).  The answer stays a plain list; where the next page is, the
header ``Link`` says (RFC 8288): clients follow it and need not know what ``after`` means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy import ColumnElement, Index, Row, Select, Table, literal, select, tuple_

from patterns.database import Session
from patterns.sql import MAX_ID

MOST, USUAL = 100, 50

Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]

NEXT_PAGE: dict[int | str, dict[str, Any]] = {200: {"headers": {"Link": {
    "description": 'Where the next page is, as `<…>; rel="next"`; none on the last.', "schema": {"type": "string"},
}}}}
"""For a list's ``responses``: its OpenAPI says that it comes in pages."""

T = TypeVar("T")


class Page:
    """The part of a list that a client asks for.

    ``after`` is the key of the last row of the page before, as the sort columns' values; none on the first page.
    """

    def __init__(
        self, limit: int = USUAL, after: tuple[Any, ...] = (), *, newest_first: bool = False,
        link: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.limit, self.after, self.newest_first, self._link = limit, after, newest_first, link

    def of(self, query: Select[Any], *key: ColumnElement[Any]) -> Select[Any]:
        """This page of a query's rows, sorted by ``key``; and, to see whether there is more, one row after it."""
        if self.after:
            values = [literal(value, column.type) for value, column in zip(self.after, key, strict=True)]
            here, before = tuple_(*key), tuple_(*values)
            query = query.where(here < before if self.newest_first else here > before)
        return query.order_by(*(column.desc() if self.newest_first else column for column in key)).limit(self.limit + 1)

    def rows(self, session: Session, table: Table, *key: str, **only: Any) -> Sequence[Row[Any]]:
        """This page of a table, sorted by the columns ``key``; ``only`` rows with these values, where None is any value."""
        wanted = [table.c[name] == value for name, value in only.items() if value is not None]
        query = self.of(select(table).where(*wanted), *(table.c[name] for name in key))
        return self.cut(session.execute(query).all(), *key)

    def cut(self, rows: Sequence[T], *key: str) -> Sequence[T]:
        """The rows of this page; when there are more, the answer gets a Link to the next.

        ``key`` names the sort columns, as attributes of a row.
        """
        if len(rows) > self.limit:
            rows = rows[: self.limit]
            self._link("_".join(str(getattr(rows[-1], name)) for name in key))
        return rows


def keep_sorted(table: Table, *key: str, by: Sequence[str] = ()) -> None:
    """Give a table the indexes that serve its pages: sorted by ``key``, and so those with one value of each of ``by``."""
    for first in ((), *((column,) for column in by)):
        columns = (*first, *key)
        Index(f"{table.name}_by_{'_and_'.join(columns)}", *(table.c[name] for name in columns))


async def _by_id(
    request: Request, response: Response,
    after: Annotated[int | None, Query(ge=0, le=MAX_ID, description="follow the Link to the next page instead")] = None,
    limit: Limit = USUAL,
) -> Page:
    return Page(limit, () if after is None else (after,), link=_linking(request, response))


MOMENT_AND_ID = r"^[0-9]{1,10}(\.[0-9]{1,20})?_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


async def _newest_first(
    request: Request, response: Response,
    after: Annotated[str | None, Query(
        pattern=MOMENT_AND_ID, description="follow the Link to the next page instead",
    )] = None,
    limit: Limit = USUAL,
) -> Page:
    moment, _, key = (after or "").partition("_")
    return Page(limit, (float(moment), UUID(key)) if key else (), newest_first=True, link=_linking(request, response))


ById = Annotated[Page, Depends(_by_id)]
"""A page of a list sorted by an integer id, the oldest first."""

NewestFirst = Annotated[Page, Depends(_newest_first)]
"""A page of a list sorted by a time (a double) and a UUID, the newest first."""


def _linking(request: Request, response: Response) -> Callable[[str], None]:
    def link(after: str) -> None:
        # Without host and scheme: a proxy in front of us knows these better.
        url = request.url.include_query_params(after=after)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'

    return link
