"""Run the payment service: ``python main.py``, ``uvicorn payment.main:app`` or ``orderflow serve payment``."""

from patterns.serve import serve
from patterns.service import Service
from patterns.web import create_app
from payment.database import database
from payment.models import metadata
from payment.mqlistener import WIRING
from payment.routes import router

service = Service("payment", database, metadata, WIRING)
app = create_app(service, "What was captured, declined or refunded.", router)

if __name__ == "__main__":
    serve("payment", app)
