"""The order role's HTTP side: a bare FastAPI that inserts an order, and in mode rpc leads it to its end."""

from __future__ import annotations

import threading
import uuid
from functools import partial
from queue import SimpleQueue
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, Response

from lab.bench.bare.journal import Journal, Letter, Said
from lab.bench.bare.line import Line

AnyBody = Annotated[Any, Body()]


class Door:
    """Accepts orders; what they say is published by a line of its own, as ours does."""

    def __init__(self, shape: dict[str, Any], rabbitmq_url: str, database_url: str) -> None:
        self._own = threading.local()
        self._new = partial(Journal, "order", shape, database_url)
        self._awaited: dict[str, SimpleQueue[Letter]] = {}
        relay = Journal("order", shape, database_url)
        self.line = Line("order", rabbitmq_url, shape["batch_size"], sent=relay.sent, replies=self._replied)
        self.line.start()
        self.line.opened.wait()

    def place(self, response: Response, order: AnyBody) -> dict[str, Any]:
        """Place an order; in mode rpc the answer is the final one."""
        mode, order_id = order.pop("mode"), str(uuid.uuid4())
        body = {"order_id": order_id, "user_id": order["user_id"], "lines": order["items"]}
        said = self._journal.accept(mode, body)
        self._tell([one for one in said if not one.awaits_answer])
        status = "PROCESSING"
        if mode == "rpc":
            self._lead([one for one in said if one.awaits_answer])
            response.status_code, status = 201, "SUCCESS"
        return {"id": order_id, "status": status, "mode": mode, "lines": order["items"], "user_id": order["user_id"]}

    def _lead(self, requests: list[Said]) -> None:
        """Ask, handle the answer in one transaction, ask the next."""
        while requests:
            [request] = requests
            answers = self._awaited[request.id] = SimpleQueue()
            confirmed = threading.Event()
            self.line.say([request], confirmed.set)
            confirmed.wait()
            letter = answers.get()
            del self._awaited[request.id]
            said = self._journal.handle([letter])
            self._tell([one for one in said if not one.awaits_answer])
            requests = [one for one in said if one.awaits_answer]

    def _tell(self, said: list[Said]) -> None:
        if said:
            self.line.say_soon(said)

    def _replied(self, letter: Letter) -> None:
        self._awaited[letter.properties.correlation_id].put(letter)

    @property
    def _journal(self) -> Journal:
        """Each thread of the server has one of its own, and so a connection."""
        if not hasattr(self._own, "journal"):
            self._own.journal = self._new()
        journal: Journal = self._own.journal
        return journal


def open_door(shape: dict[str, Any], rabbitmq_url: str, database_url: str, port: int) -> None:
    """Serve until the process is killed."""
    app, door = FastAPI(openapi_url=None), Door(shape, rabbitmq_url, database_url)
    app.add_api_route("/orders", door.place, methods=["POST"], status_code=202, response_model=None)
    app.add_api_route("/readyz", lambda: {"ready": True}, methods=["GET"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
