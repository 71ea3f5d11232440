"""The page of the API at /docs, made from openapi.json. It needs nothing from anywhere else."""
