"""Run the delivery service: ``python main.py``, ``uvicorn delivery.main:app`` or ``orderflow serve delivery``."""

from delivery.database import database
from delivery.models import metadata
from delivery.mqlistener import WIRING
from delivery.routes import router
from patterns.serve import serve
from patterns.service import Service
from patterns.web import create_app

service = Service("delivery", database, metadata, WIRING)
app = create_app(service, "Which parcels are scheduled, refused or cancelled.", router)

if __name__ == "__main__":
    serve("delivery", app)
