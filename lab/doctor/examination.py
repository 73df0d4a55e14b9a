"""The examination: everything in turn, after a repair if wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from lab.doctor import broker, readers, topology
from lab.doctor.arguments import tried_out
from lab.doctor.asking import Asker
from lab.doctor.dangers import dangers
from lab.doctor.databases import databases
from lab.doctor.findings import Deed, Finding, Report, Verdict, unreachable, warning
from lab.doctor.repair import Repair
from lab.doctor.there import There, look, queue_standing
from lab.doctor.views import EmbeddedView, Listing, RabbitView
from lab.doctor.wanted import Wanted, wanted_by
from patterns.broker import EmbeddedTransport
from patterns.connection import RabbitConnection
from patterns.errors import BrokerUnavailable, SettingsError
from patterns.settings import settings
from patterns.shop import SERVICES

View = RabbitView | EmbeddedView


@dataclass(frozen=True)
class Looked:
    """What was seen of the whole shop, and the means to ask on."""

    asker: Asker
    there: There
    listing: Listing | str

    def others(self, whole: Wanted) -> dict[str, int]:
        """The queues that belong to no wiring, with their ready messages."""
        names = [] if isinstance(self.listing, str) else topology.foreign_queues(whole, self.listing)
        standings = {name: queue_standing(self.asker, name, {}) for name in names}
        return {name: standing.messages for name, standing in standings.items() if standing is not None}


@contextmanager
def looking(view: View, whole: Wanted) -> Iterator[Looked]:
    """Connect and look.  Raises BrokerUnavailable."""
    connection = view.connect()
    try:
        asker = Asker(connection)
        yield Looked(asker, look(asker, whole), view.listing())
    finally:
        connection.close()


def examine(service: str = "", *, repair: bool = False) -> Report:
    """Look at everything, or at one service's part; with ``repair``, mend what can be mended first.

    Raises SettingsError for an unknown service.
    """
    if service and service not in SERVICES:
        raise SettingsError(f"{service} is no service; there are {', '.join(SERVICES)}")
    services = [service] if service else list(SERVICES)
    report = Report()
    try:
        if repair:
            report.deeds += _repair(services)
        with closing(_view()) as view:
            report.where = view.where
            report.findings += _broker(view, services)
    except BrokerUnavailable as error:
        report.findings.append(unreachable(broker.PART, str(error), "Is RABBITMQ_URL right, and is RabbitMQ running?"))
    report.findings += databases(services)
    report.findings += dangers(settings())
    return report


def _view() -> View:
    return RabbitView() if settings().rabbitmq_url else EmbeddedView()


def _repair(services: list[str]) -> list[Deed]:
    with closing(_view()) as view:
        if isinstance(view, RabbitView) or view.readers_known:
            return _repaired(view, services)
        if view.in_use:
            return [Deed(False, "The shop is open in another process, and declares all when it opens.  Close it first.")]
        with closing(EmbeddedTransport(view.folder)) as own:
            return _repaired(EmbeddedView(own), services)


def _repaired(view: View, services: list[str]) -> list[Deed]:
    wanted, whole = wanted_by(services), wanted_by(SERVICES)
    with looking(view, whole) as looked:
        return list(Repair(looked.asker, wanted, whole, looked.there, looked.listing, view.connect).run())


def _broker(view: View, services: list[str]) -> Iterator[Finding]:
    """Everything about the broker.  Raises BrokerUnavailable."""
    if isinstance(view, EmbeddedView) and not view.exists:
        yield warning(broker.PART, f"There is no shop in {view.folder} yet.", "orderflow run makes one.")
        return
    wanted, whole = wanted_by(services), wanted_by(SERVICES)
    with closing(view.connect()) as connection:
        takes = broker.takes_messages(connection)
    with looking(view, whole) as looked:
        if isinstance(looked.asker.connection, RabbitConnection):
            yield from broker.introduced(looked.asker.connection)
            yield takes
            if takes.verdict is Verdict.OK:
                yield from broker.may_write(looked.asker.connection, wanted)
            yield from broker.may_bind(looked.asker, wanted)
        yield from topology.declared(wanted, looked.there, looked.listing)
        yield from topology.bound(wanted, whole, looked.listing)
        yield from topology.policies(wanted, looked.listing)
        yield from topology.others(whole, looked.listing, looked.others(whole))
        yield from _reading(view, wanted, looked.there)
        yield from readers.waiting(wanted, looked.there)
    if takes.verdict is not Verdict.OK:
        yield broker.silent(takes.what)
        return
    with closing(view.probing()) as connection:
        yield from tried_out(connection)


def _reading(view: View, wanted: Wanted, there: There) -> Iterator[Finding]:
    if isinstance(view, EmbeddedView) and not view.readers_known and view.in_use:
        yield from readers.asked_of_services(list(wanted.readers))
    else:
        yield from readers.readers(wanted, there)
