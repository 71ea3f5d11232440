"""What the API's handlers call: the verbs, each opened by `app`."""

from msgspec import Struct

from messagehub.accounts.callers import Callers
from messagehub.accounts.customers import Customers
from messagehub.accounts.keys import AccessKeys
from messagehub.accounts.logins import Logins
from messagehub.api.limits import Limits
from messagehub.blobs import Blobs
from messagehub.carriers.book import Carriers
from messagehub.conversations import Conversations
from messagehub.flows.active import Activeflows
from messagehub.flows.flow import Flows
from messagehub.messages.accept import Acceptor
from messagehub.messages.acts import Actor
from messagehub.messages.departure import Departure
from messagehub.messages.exchanges import Exchanges
from messagehub.messages.habits import Habits
from messagehub.messages.limits import Limits as SegmentLimits
from messagehub.messages.metering import Metering
from messagehub.messages.once import Once
from messagehub.messages.pooling import Pooling
from messagehub.messages.reading import Reader
from messagehub.messages.standing import Standing
from messagehub.messages.traces import Traces
from messagehub.numbers import Numbers
from messagehub.people.consents import Consents
from messagehub.people.contacts import Contacts
from messagehub.people.opt_outs import OptOuts
from messagehub.published import Links, Published
from messagehub.routing import Routes
from messagehub.sealing import Sealer
from messagehub.senders.pools import Pools
from messagehub.senders.rules import SenderRules
from messagehub.store import Store
from messagehub.uploads import Uploads
from messagehub.webhooks.deliver import Dispatcher
from messagehub.webhooks.deliveries import Deliveries
from messagehub.webhooks.trial import Trial
from messagehub.work.node import Node


class Services(Struct, frozen=True, kw_only=True):
    store: Store
    sealer: Sealer
    node: Node
    customers: Customers
    callers: Callers
    accesskeys: AccessKeys
    logins: Logins
    numbers: Numbers
    opt_outs: OptOuts
    consents: Consents
    contacts: Contacts
    routes: Routes
    carriers: Carriers
    exchanges: Exchanges
    published: Published
    habits: Habits
    standing: Standing
    acceptor: Acceptor
    conversations: Conversations
    once: Once
    reader: Reader
    actor: Actor
    segment_limits: SegmentLimits
    metering: Metering
    sender_rules: SenderRules
    pools: Pools
    pooling: Pooling
    traces: Traces
    dispatcher: Dispatcher
    deliveries: Deliveries
    trial: Trial
    flows: Flows
    activeflows: Activeflows
    departure: Departure
    blobs: Blobs
    links: Links
    uploads: Uploads
    limits: Limits
    webhook_allow_private: bool
    body_timeout: float
    role: str
    """What this process does: `all`, `api` or `worker`."""
    metrics: str
    """Who may read them: `open`, `operator` or `off`."""
