"""The JSON of the API, once: what a request may hold and what an answer holds. Times and ids are strings here.

Requests forbid unknown members; answers always carry every member. The schemas of openapi.json come from here.
"""

from messagehub.shapes.accounts import *
from messagehub.shapes.addresses import *
from messagehub.shapes.answers import *
from messagehub.shapes.carriers import *
from messagehub.shapes.conversations import *
from messagehub.shapes.flows import *
from messagehub.shapes.media import *
from messagehub.shapes.members import *
from messagehub.shapes.messages import *
from messagehub.shapes.numbers import *
from messagehub.shapes.people import *
from messagehub.shapes.senders import *
from messagehub.shapes.webhooks import *
from messagehub.shapes.wrong import *
