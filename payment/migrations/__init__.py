"""The payment service's tables, change by change; a file that others may have run is never changed again."""
