"""Run the product service: ``python main.py``, ``uvicorn product.main:app`` or ``orderflow serve product``."""

from patterns.serve import serve
from patterns.service import Service
from patterns.web import create_app
from product import crud
from product.database import database
from product.models import metadata
from product.mqlistener import WIRING
from product.routes import inventory, products, reservations

service = Service("product", database, metadata, WIRING, lock_rows=crud.lock_shelves)
app = create_app(
    service, "Products, their prices, and how much of them is on the shelf, reserved or sold.",
    products, inventory, reservations,
)

if __name__ == "__main__":
    serve("product", app)
