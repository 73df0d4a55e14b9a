"""Transactions of real handlers on a real PostgreSQL, statement by statement, in every order that matters."""
