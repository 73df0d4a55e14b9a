"""``python -m lab.compose``: kill each container of the running compose shop under load, and see that nothing is lost.

It needs docker and this repository, nothing of the shop: it speaks HTTP to the services' published ports, and audits in a
container.  ``DOCKER_COMPOSE`` and ``DOCKER`` name other commands than ``docker compose`` and ``docker``.
"""
