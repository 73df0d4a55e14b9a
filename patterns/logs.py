"""One line an event: a sentence for people, an action word for machines, the order where there is one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def get_logger(name: str) -> logging.Logger:
    """The logger of a module or of a service."""
    return logging.getLogger(f"orderflow.{name}")


class Line(logging.Formatter):
    """How a line looks: ``12:01:07 product  duplicate  Message … was heard before; ignored.``."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as one line, and below it the traceback if there is one."""
        service = record.name.removeprefix("orderflow.")
        action = getattr(record, "action", record.levelname.lower())
        line = f"{self.formatTime(record, '%H:%M:%S')} {service:<13}{action:<14}{record.getMessage()}"
        return line if not record.exc_info else f"{line}\n{self.formatException(record.exc_info)}"


def configure_logs(level: int = logging.INFO) -> None:
    """Log our events to standard error, in one line each."""
    root = logging.getLogger("orderflow")
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Line())
        root.addHandler(handler)
    root.setLevel(level)


@contextmanager
def logs_to(file: Path) -> Iterator[None]:
    """Log our events to a file meanwhile, in one line each, and to nothing else."""
    file.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger("orderflow")
    handler = logging.FileHandler(file, mode="w", encoding="utf-8")
    handler.setFormatter(Line())
    before = root.handlers, root.level, root.propagate
    root.handlers, root.level, root.propagate = [handler], logging.INFO, False
    try:
        yield
    finally:
        root.handlers, root.level, root.propagate = before
        handler.close()
