"""Line: a connection to PostgreSQL that is told many statements, and waited for once.

It is libpq's pipeline (https://www.postgresql.org/docs/15/libpq-pipeline-mode.html), spoken by psycopg's wrapper of libpq
(https://www.psycopg.org/psycopg3/docs/api/pq.html) on one of psycopg's connections: what psycopg itself executes there
before or after is in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from psycopg import Connection, Error, OperationalError, postgres
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait
from sqlalchemy import Float

from patterns.quick_words import Answered, Words

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

_FLOAT = postgres.types["float8"].oid
"""Numbers with a point are the only ones that SQLAlchemy does not write the type of beside the parameter."""


class Told(NamedTuple):
    """A statement on its way: its words, its values as they are sent, and as they were given, for whoever reads errors."""

    words: Words
    values: Sequence[Buffer | None]
    given: Mapping[str, Any]


class Refusal(Exception):
    """PostgreSQL refused one of the statements, and did none of those after it."""

    def __init__(self, told: Told, error: Error) -> None:
        super().__init__(str(error))
        self.told, self.error = told, error


class Line:
    """One connection; each statement is prepared once in its life."""

    def __init__(self, driver: Connection[Any]) -> None:
        self._driver, self._pq, self._adapter = driver, driver.pgconn, Transformer(driver)
        self._prepared: dict[str, bytes] = {}
        self._numbers = count(1)

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._driver.closed

    @property
    def idle(self) -> bool:
        """Whether no transaction is open."""
        return self._pq.transaction_status == TransactionStatus.IDLE

    def told(self, words: Words, given: Mapping[str, Any]) -> Told:
        """A statement with these parameters, ready to be sent.  Raises what is wrong with them."""
        values = words.values(given)
        return Told(words, self._adapter.dump_sequence(values, [PyFormat.TEXT] * len(values)), given)

    def send(self, statements: Sequence[Told]) -> list[Answered]:
        """Send all of these and wait once; answers what each answered.

        Raises Refusal for the first that PostgreSQL refused, and psycopg's Error when the connection broke.
        """
        try:
            self._pq.enter_pipeline_mode()
            sent = [part for one in statements for part in self._sent(one)]
            self._pq.pipeline_sync()
            results = self._driver.wait(self._results())
            self._pq.exit_pipeline_mode()
        except BaseException:
            self._driver.close()  # nobody knows what it would answer next
            raise
        for (one, _), result in zip(sent, results, strict=True):
            if result.status not in _DONE:
                for new in (told for told, last in sent if not last):
                    del self._prepared[new.words.text]
                error = error_from_result(result)
                if isinstance(error, FeatureNotSupported):
                    self._driver.close()  # "cached plan must not change result type": a migration came in between
                raise Refusal(one, error)
        return [self._answer(one.words, result) for (one, last), result in zip(sent, results, strict=True) if last]

    def _sent(self, one: Told) -> Iterator[tuple[Told, bool]]:
        """Send a statement; for each result that it will have, whether that is its last.

        What is new is prepared in its turn: after a refusal PostgreSQL prepares nothing but the way back to a savepoint.
        """
        text = one.words.text
        if text not in self._prepared:
            self._prepared[text] = b"orderflow_%d" % next(self._numbers)
            # 0 where the statement says of which type a parameter is, or leaves no doubt.
            types = [_FLOAT if isinstance(kind, Float) else 0 for kind in one.words.kinds]
            self._pq.send_prepare(self._prepared[text], text.encode(), types)
            yield one, False
        self._pq.send_query_prepared(self._prepared[text], one.values)
        yield one, True

    def _results(self) -> PQGen[list[PGresult]]:
        """Wait for all results; meanwhile the rest of a long pipeline is sent, and what is answered already is read."""
        while self._pq.flush():
            if (yield Wait.RW) & Ready.R:
                self._pq.consume_input()
        results: list[PGresult | None] = [None]
        while True:
            while self._pq.is_busy():
                yield Wait.R
                self._pq.consume_input()
            result = self._pq.get_result()
            if result is None and results[-1] is None:  # one None ends the results of each statement
                raise OperationalError(self._pq.get_error_message())
            if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
                return [one for one in results if one is not None]
            results.append(result)

    def _answer(self, words: Words, result: PGresult) -> Answered:
        columns = words.columns or words.know((result.fname(number) or b"").decode() for number in range(result.nfields))
        self._adapter.set_pgresult(result)
        rows = self._adapter.load_rows(0, result.ntuples, tuple) if result.ntuples else ()
        return Answered(columns, rows, result.command_tuples or 0)
