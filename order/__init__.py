"""The order service: what was ordered, and how it ended."""
