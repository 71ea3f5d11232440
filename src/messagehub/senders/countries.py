"""PURE. What countries ask of the sender of a message, as data.

Source: the public lists that aggregators and registries keep of senders by country (AWS End User Messaging, Twilio,
Bird, Telnyx; the registries of Ofcom's kind: ComReg, CNMC, AGCOM, ACMA, IMDA's SGNIC, TRAI's DLT), as they stood in
2026. They agree on what is refused everywhere, and change often on the rest. This is guidance and not law: an operator
overrules it by `/sender_rules`.
"""

import csv
import io
from functools import cache

from msgspec import Struct

YES, REGISTERED, NO = "yes", "registered", "no"
"""Whether a name may stand as the sender: any, one that is registered there, or none."""

# Alphanumeric: whether a name may be the sender. Best: what is taken there first, from a pool that has several.
TABLE = """\
code,country,prefixes,alphanumeric,best
AE,United Arab Emirates,971,registered,alphanumeric
AR,Argentina,54,no,short_code
AT,Austria,43,yes,alphanumeric
AU,Australia,61,registered,alphanumeric
BD,Bangladesh,880,registered,alphanumeric
BE,Belgium,32,no,long
BG,Bulgaria,359,yes,alphanumeric
BH,Bahrain,973,yes,alphanumeric
BR,Brazil,55,no,short_code
BY,Belarus,375,registered,alphanumeric
CA,Canada,1204 1226 1236 1249 1250 1257 1263 1273 1289 1306 1343 1354 1365 1367 1368 1382 1403 1416 1418 1428 1431 1437 1438 1450 1468 1474 1506 1514 1519 1548 1579 1581 1584 1587 1600 1604 1613 1622 1633 1639 1647 1672 1683 1705 1709 1742 1753 1778 1780 1782 1807 1819 1825 1867 1873 1879 1902 1905 1942,no,long
CH,Switzerland,41,yes,alphanumeric
CL,Chile,56,no,short_code
CN,China,86,no,long
CO,Colombia,57,no,short_code
CR,Costa Rica,506,no,short_code
CY,Cyprus,357,yes,alphanumeric
CZ,Czechia,420,registered,alphanumeric
DE,Germany,49,yes,alphanumeric
DK,Denmark,45,yes,alphanumeric
DO,Dominican Republic,1809 1829 1849,no,long
EC,Ecuador,593,no,short_code
EE,Estonia,372,yes,alphanumeric
EG,Egypt,20,registered,alphanumeric
ES,Spain,34,registered,alphanumeric
FI,Finland,358,registered,alphanumeric
FR,France,33,yes,alphanumeric
GB,United Kingdom,44,yes,alphanumeric
GH,Ghana,233,registered,alphanumeric
GR,Greece,30,yes,alphanumeric
GT,Guatemala,502,no,short_code
HK,Hong Kong,852,yes,alphanumeric
HR,Croatia,385,yes,alphanumeric
HU,Hungary,36,no,long
ID,Indonesia,62,registered,alphanumeric
IE,Ireland,353,registered,alphanumeric
IL,Israel,972,yes,alphanumeric
IN,India,91,registered,alphanumeric
IS,Iceland,354,yes,alphanumeric
IT,Italy,39,registered,alphanumeric
JM,Jamaica,1876 1658,yes,alphanumeric
JO,Jordan,962,registered,alphanumeric
JP,Japan,81,yes,alphanumeric
KE,Kenya,254,registered,alphanumeric
KR,South Korea,82,no,long
KW,Kuwait,965,registered,alphanumeric
KZ,Kazakhstan,76 77,registered,alphanumeric
LK,Sri Lanka,94,registered,alphanumeric
LT,Lithuania,370,yes,alphanumeric
LU,Luxembourg,352,yes,alphanumeric
LV,Latvia,371,yes,alphanumeric
MA,Morocco,212,yes,alphanumeric
MT,Malta,356,yes,alphanumeric
MX,Mexico,52,no,short_code
MY,Malaysia,60,no,short_code
NG,Nigeria,234,registered,alphanumeric
NL,Netherlands,31,yes,alphanumeric
NO,Norway,47,yes,alphanumeric
NP,Nepal,977,registered,alphanumeric
NZ,New Zealand,64,no,short_code
OM,Oman,968,registered,alphanumeric
PA,Panama,507,no,short_code
PE,Peru,51,no,short_code
PH,Philippines,63,registered,alphanumeric
PK,Pakistan,92,registered,alphanumeric
PL,Poland,48,yes,alphanumeric
PR,Puerto Rico,1787 1939,no,long
PT,Portugal,351,yes,alphanumeric
QA,Qatar,974,registered,alphanumeric
RO,Romania,40,yes,alphanumeric
RS,Serbia,381,registered,alphanumeric
RU,Russia,7,registered,alphanumeric
SA,Saudi Arabia,966,registered,alphanumeric
SE,Sweden,46,yes,alphanumeric
SG,Singapore,65,registered,alphanumeric
SI,Slovenia,386,yes,alphanumeric
SK,Slovakia,421,yes,alphanumeric
TH,Thailand,66,registered,alphanumeric
TR,Türkiye,90,registered,alphanumeric
TW,Taiwan,886,no,long
TZ,Tanzania,255,registered,alphanumeric
UA,Ukraine,380,registered,alphanumeric
UG,Uganda,256,registered,alphanumeric
US,United States,1,no,long
UY,Uruguay,598,no,short_code
UZ,Uzbekistan,998,registered,alphanumeric
VE,Venezuela,58,no,short_code
VN,Vietnam,84,registered,alphanumeric
ZA,South Africa,27,no,long
"""  # noqa: E501


class Country(Struct, frozen=True):
    """`code`: ISO 3166-1 alpha-2; `prefixes`: how its numbers begin, without the plus."""

    code: str
    name: str
    prefixes: tuple[str, ...]
    alphanumeric: str
    best: str


def _read() -> dict[str, Country]:
    rows = csv.reader(io.StringIO(TABLE))
    next(rows)
    return {
        code: Country(code, name, tuple(prefixes.split()), alphanumeric, best)
        for code, name, prefixes, alphanumeric, best in rows
    }


COUNTRIES = _read()

NOWHERE = ("1555",)
"""Area codes that are no place's: numbers of films and examples."""

ISLANDS = [
    "1242",
    "1246",
    "1264",
    "1268",
    "1284",
    "1345",
    "1441",
    "1473",
    "1649",
    "1664",
    "1721",
    "1758",
    "1767",
    "1784",
    "1868",
    "1869",
]
"""Area codes of places that share +1 with the United States, and not their rules. They take names, as far as known."""

_BY_PREFIX: dict[str, Country | None] = {
    **{prefix: country for country in COUNTRIES.values() for prefix in country.prefixes},
    **dict.fromkeys((*NOWHERE, *ISLANDS)),
}


@cache
def _lengths() -> tuple[int, ...]:
    return tuple(sorted({len(prefix) for prefix in _BY_PREFIX}, reverse=True))


def country_of(number: str) -> Country | None:
    """The country that an E.164 number belongs to, where the table has it. The longest prefix wins."""
    for length in _lengths():
        prefix = number[1 : 1 + length]
        if prefix in _BY_PREFIX:
            return _BY_PREFIX[prefix]
    return None


def as_markdown() -> str:
    """The table as docs/senders-by-country.md shows it."""
    words = {YES: "any name", REGISTERED: "names registered there", NO: "none"}
    rows = (
        f"| {country.name} | `{country.code}` | {_shown(country)} | {words[country.alphanumeric]} "
        f"| {country.best.replace('_', ' ')} |"
        for country in sorted(COUNTRIES.values(), key=lambda country: country.name)
    )
    head = "| country | code | numbers begin with | names as senders | best |\n| --- | --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def _shown(country: Country) -> str:
    """All of them, where they are few."""
    first = [f"+{prefix}" for prefix in country.prefixes]
    return " ".join(first) if len(first) <= MANY else f"{first[0]} and {len(first) - 1} more"


MANY = 4
