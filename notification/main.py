"""Run the notification service: ``python main.py`` or ``orderflow serve notification``."""

from notification.database import database
from notification.models import metadata
from notification.mqlistener import WIRING
from notification.routes import router
from patterns.serve import serve
from patterns.service import Service
from patterns.web import create_app

service = Service("notification", database, metadata, WIRING)
app = create_app(service, "What customers were told about their orders.", router)

if __name__ == "__main__":
    serve("notification", app)
