"""The product service's HTTP side: products and their prices, the inventory, and what is set aside for which order."""

from fastapi import Request, Response

from patterns.pages import NEXT_PAGE, ById, NewestFirst
from patterns.shop_web import OfUser, OrderId
from patterns.web import PathId, Router, location
from product import crud
from product.database import database
from product.schemas import NewProduct, Product, ProductChange, Reservation, Restock, State, Stock

products = Router(prefix="/products", tags=["products"])
inventory = Router(prefix="/inventory", tags=["inventory"])
reservations = Router(prefix="/reservations", tags=["inventory"])


@products.post("", status_code=201)
def create_product(body: NewProduct, request: Request, response: Response) -> Product:
    """Start to sell something."""
    made = Product.model_validate(database.transact(crud.create_product, body.name, body.price_cents, body.quantity))
    response.headers.update(location(request, made.id))
    return made


@products.get("", responses=NEXT_PAGE)
def list_products(page: ById) -> list[Product]:
    """Products by id."""
    return [Product.model_validate(row) for row in database.read(crud.list_products, page)]


@products.get("/{product_id}")
def get_product(product_id: PathId) -> Product:
    """One product and its goods."""
    return Product.model_validate(database.read(crud.get_product, product_id))


@products.put("/{product_id}")
def update_product(product_id: PathId, body: ProductChange) -> Product:
    """Change name and price; orders whose goods are reserved keep the price they saw."""
    return Product.model_validate(database.transact(crud.change_product, product_id, body.name, body.price_cents))


@products.delete("/{product_id}", status_code=204, responses={
    409: {"description": "Goods were set aside for orders, so it stays on the books."},
})
def delete_product(product_id: PathId) -> None:
    """Sell something no more; it must never have been set aside for an order."""
    database.transact(crud.delete_product, product_id)


@products.post("/{product_id}/restock", status_code=201, responses={
    409: {"description": "There are as many goods as can be counted."},
})
def restock(product_id: PathId, body: Restock) -> Product:
    """Put goods on the shelf."""
    return Product.model_validate(database.transact(crud.restock, product_id, body.quantity))


@inventory.get("", responses=NEXT_PAGE)
def list_inventory(page: ById) -> list[Stock]:
    """Where the goods of each product are, by the product's id."""
    return [Stock.model_validate(row) for row in database.read(crud.list_products, page)]


@inventory.get("/{product_id}")
def get_inventory(product_id: PathId) -> Stock:
    """Where the goods of one product are."""
    return Stock.model_validate(database.read(crud.get_product, product_id))


@reservations.get("", responses=NEXT_PAGE)
def list_reservations(page: NewestFirst, state: State | None = None, user_id: OfUser = None) -> list[Reservation]:
    """What became of the orders' goods, those of the newest orders first."""
    found = database.read(crud.list_reservations, page, state, user_id)
    return [Reservation.model_validate(one) for one in found]


@reservations.get("/{order_id}")
def get_reservation(order_id: OrderId) -> Reservation:
    """What became of an order's goods."""
    return Reservation.model_validate(database.read(crud.get_reservation, order_id))
