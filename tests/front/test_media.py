"""Media come and go as they do without a process of its own for HTTP."""

from tests.api.test_media import *  # noqa: F403
