"""Run the user service: ``python main.py``, ``uvicorn user.main:app`` or ``orderflow serve user``."""

from patterns.serve import serve
from patterns.service import Service
from patterns.web import create_app
from user import crud
from user.database import database
from user.models import metadata
from user.mqlistener import WIRING
from user.routes import router

service = Service("user", database, metadata, WIRING, lock_rows=crud.lock_accounts)
app = create_app(service, "Customers, and what of their money is free, held or spent.", router)

if __name__ == "__main__":
    serve("user", app)
