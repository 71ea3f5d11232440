"""Faults at random moments, under load: `make chaos`, and a short form of it among the tests.

A hub that serves as in production, a carrier simulator and a customer's endpoint run as what they are; callers post
messages all the time. Then something breaks. Afterwards the three ends are counted and compared, by `check`: what the
callers were told, what the carrier took, what the endpoint heard, and what stands in the store.

Chance comes from a seed, which is printed and can be given again with `--seed`.
"""
