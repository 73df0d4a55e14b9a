"""Where the product service keeps its tables: DATABASE_URL, or a file of its own in ORDERFLOW_HOME."""

from patterns.database import Database

database = Database("product")
