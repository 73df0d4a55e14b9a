"""A PostgreSQL that vanishes without a word: nobody waits for it as long as the system would."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from lab.books import database_of
from patterns.settings import configure


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="the options have other names elsewhere")
def test_a_connection_is_given_up_when_the_other_end_is_silent(database_url: str) -> None:
    configure(database_url=database_url)
    database = database_of("order")
    with database.engine.connect() as session:
        driver = session.connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            wait, again, times = (
                line.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert wait + again * times <= 60, "while it waits for an answer"
            assert 0 < line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000, "while it speaks"
    database.close()
