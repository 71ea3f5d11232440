"""Flows ask servers, and read what these say, as they do without a process of its own for HTTP."""

from tests.acceptance.test_flows import (
    shop,
    test_a_poll_with_branches_and_a_webhook,
    test_a_server_that_says_nonsense_ends_it,
    test_your_server_says_what_to_do,
)

__all__ = [
    "shop",
    "test_a_poll_with_branches_and_a_webhook",
    "test_a_server_that_says_nonsense_ends_it",
    "test_your_server_says_what_to_do",
]
