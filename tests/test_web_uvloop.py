"""The outgoing client on the other event loop, the one that the program runs on."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from tests import test_web, test_web_addresses, test_web_tls

ON_UVLOOP = [
    test_web.test_a_request_is_written_as_told,
    test_web.test_head_has_no_body,
    test_web.test_a_reset,
    test_web.test_an_endless_trailer_is_cut,
    test_web.test_a_connection_is_kept,
    test_web.test_an_answer_that_nobody_asked_for_ends_the_connection,
    test_web.test_an_idle_connection_is_closed,
    test_web.test_a_stale_connection_is_replaced_once,
    test_web.test_a_connection_that_dies_within_an_answer_is_not_replaced,
    test_web.test_no_more_connections_than_allowed_to_one_origin,
    test_web.test_one_limit_for_all_of_a_request,
    test_web.test_a_kept_connection_has_the_same_limit,
    test_web.test_a_cancelled_request_takes_its_connection_with_it,
    test_web.test_closing_ends_what_is_under_way,
    test_web_addresses.test_the_next_address_is_tried,
    test_web_addresses.test_nobody_listens,
    test_web_tls.test_a_server_without_tls,
    test_web_tls.test_a_handshake_that_stalls,
]


@pytest.mark.parametrize("test", ON_UVLOOP)
def test_the_same_on_uvloop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    uvloop.run(test())
