"""The product service's HTTP side: products, prices and restocks."""

from typing import Annotated

from fastapi import Query

from patterns.shop import MAX_ID
from patterns.web import PathId, Router
from product import crud
from product.database import database
from product.schemas import NewProduct, Product, ProductChange, Restock

router = Router(prefix="/products", tags=["products"])


@router.post("", status_code=201)
def create_product(body: NewProduct) -> Product:
    """Start to sell something."""
    return Product.model_validate(database.transact(crud.create_product, body.name, body.price_cents, body.quantity))


@router.get("")
def list_products(
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 100
) -> list[Product]:
    """Products by id; ``after`` is the last id of the page before."""
    return [Product.model_validate(row) for row in database.read(crud.list_products, after, limit)]


@router.get("/{product_id}")
def get_product(product_id: PathId) -> Product:
    """One product and its goods."""
    return Product.model_validate(database.read(crud.get_product, product_id))


@router.put("/{product_id}")
def update_product(product_id: PathId, body: ProductChange) -> Product:
    """Change name and price; orders whose goods are reserved keep the price they saw."""
    return Product.model_validate(database.transact(crud.change_product, product_id, body.name, body.price_cents))


@router.delete("/{product_id}", status_code=204)
def delete_product(product_id: PathId) -> None:
    """Sell something no more; what was ever set aside for an order stays on the books: 409."""
    database.transact(crud.delete_product, product_id)


@router.post("/{product_id}/restock", status_code=201)
def restock(product_id: PathId, body: Restock) -> Product:
    """Put goods on the shelf."""
    return Product.model_validate(database.transact(crud.restock, product_id, body.quantity))
