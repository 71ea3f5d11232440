"""Endpoints see no difference: the same, told by a process of its own."""

from tests.acceptance.test_webhooks import *  # noqa: F403
