"""Callers see no difference: the same, against a server whose HTTP is in a process of its own."""

from tests.api.test_bad_input import *  # noqa: F403
