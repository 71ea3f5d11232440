"""Customers' endpoints, and what we told them."""
