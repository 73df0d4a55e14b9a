"""The payment service: whether the gateway authorised an order, and what was captured or refunded."""
