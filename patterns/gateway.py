"""The outside world, simulated: a payment gateway that authorises, a carrier that takes parcels.

A verdict depends on nothing but the seed, the kind and the order, so that the same orders end the same way in every
mode and every run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from patterns.errors import GatewayUnavailable
from patterns.runtime import runtime
from patterns.settings import settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes, or why not."""

    reason: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it is a yes."""
        return self.reason is None


def refuses(kind: str, order_id: UUID, rate: float) -> bool:
    """Whether the outside world says no to this order, as it does to this share of all orders (0 to 1)."""
    digest = hashlib.sha256(f"{settings().verdict_seed}:{kind}:{order_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64


def authorise(order_id: UUID) -> Verdict:
    """Ask the gateway for an authorisation; asking again gives the same one.  Takes GATEWAY_LATENCY_SECONDS.

    Raises GatewayUnavailable, for a share of the calls (GATEWAY_OUTAGE_RATE), whichever orders they are about: who is
    away has no verdict.
    """
    config = settings()
    if config.gateway_latency_seconds:
        runtime().sleep(config.gateway_latency_seconds)
    if config.gateway_outage_rate and runtime().between(0, 1) < config.gateway_outage_rate:
        raise GatewayUnavailable("The payment gateway does not answer.")
    refused = refuses("payment", order_id, config.payment_failure_rate)
    return Verdict("the payment gateway declined" if refused else None)


def accept_parcel(order_id: UUID) -> Verdict:
    """Ask the carrier's timetable, which is at hand: no waiting."""
    refused = refuses("delivery", order_id, settings().delivery_failure_rate)
    return Verdict("the carrier takes no parcel for this order" if refused else None)
