"""Flows: lists of actions that answer what comes in, or run when they are told to."""
