"""Customers, their logins and their access keys."""
