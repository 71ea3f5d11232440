"""Carriers: who takes segments off our hands. `carrier.py` is the contract."""
