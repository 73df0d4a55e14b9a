"""The user service: who the customers are, and what money of theirs is free, held or spent."""
