"""The relay is the last defence: whatever happens to one round, there is a next one."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from patterns.database import Database
from patterns.relay import Relay
from patterns.voice import Voice


class Surprised:
    """A voice whose first word fails in a way nobody foresaw."""

    def __init__(self) -> None:
        self.words: list[Any] = []
        self.heard = threading.Condition()

    def say(self, said: list[Any]) -> None:
        if said:
            with self.heard:
                self.words.append(said)
                self.heard.notify()
                if len(self.words) == 1:
                    raise LookupError("nobody foresaw this")

    def spoke(self, times: int) -> bool:
        with self.heard:
            return self.heard.wait_for(lambda: len(self.words) >= times, 30)


def test_it_outlives_a_surprise_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voice = Surprised()
    relay = Relay("order", Database("order", f"sqlite:///{tmp_path}/order.db"), cast("Voice", voice))
    with caplog.at_level(logging.ERROR):
        relay.start()
        relay.say_soon(cast("Any", ["one"]))
        assert voice.spoke(1)
        relay.say_soon(cast("Any", ["two"]))
        assert voice.spoke(2)
        relay.stop()
    assert "nobody foresaw this" in caplog.text
