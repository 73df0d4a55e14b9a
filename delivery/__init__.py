"""The delivery service: which orders are scheduled to leave the house."""
