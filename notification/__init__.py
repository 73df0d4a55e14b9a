"""The notification service: what customers were told about their orders."""
