"""The scenarios, each by its name: what breaks, and what is promised all the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.chaos import carriers, disks, nodes, servers
from tests.chaos.check import Promise
from tests.chaos.stage import Length, Stage

Act = Callable[[Stage], Promise]


@dataclass(frozen=True)
class Scenario:
    """`short` is for the tests; None where it takes too long for them."""

    act: Act
    long: Length
    short: Length | None = None


SCENARIOS: Mapping[str, Scenario] = {
    "hub_killed": Scenario(nodes.hub_killed, Length(20, 150), Length(3, 30)),
    "node_killed": Scenario(nodes.node_killed, Length(3, 100), Length(1, 20)),
    "clock_stepped": Scenario(nodes.clock_stepped, Length(4, 100), Length(1, 20)),
    "disk_full": Scenario(disks.disk_full, Length(4, 150), Length(1, 30)),
    "killed_with_full_disk": Scenario(disks.killed_with_full_disk, Length(4, 150)),
    "disk_slow": Scenario(disks.disk_slow, Length(1, 300)),
    "disk_stuck": Scenario(disks.disk_stuck, Length(1, 50)),
    "carrier_cut": Scenario(carriers.carrier_cut, Length(4, 150), Length(1, 20)),
    "carrier_half_open": Scenario(carriers.carrier_half_open, Length(2, 100)),
    "carrier_slow": Scenario(carriers.carrier_slow, Length(2, 100)),
    "carrier_throttles": Scenario(carriers.carrier_throttles, Length(1, 60)),
    "endpoint_down": Scenario(carriers.endpoint_down, Length(2, 100)),
    "postgres_killed": Scenario(servers.postgres_killed, Length(3, 100)),
    "postgres_cut": Scenario(servers.postgres_cut, Length(3, 100)),
    "postgres_slow": Scenario(servers.postgres_slow, Length(2, 100)),
    "failover": Scenario(servers.failover, Length(1, 100), Length(1, 20)),
    "failover_by_address": Scenario(servers.failover_by_address, Length(1, 100)),
}
