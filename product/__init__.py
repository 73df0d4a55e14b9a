"""The product service: what is sold, at which price, and how much of it is on the shelf."""
