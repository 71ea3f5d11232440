"""Words with which people end messages, want them back, or ask who writes; whole messages only. Pure.

The English words are those of 47 CFR 64.1200(a)(10) and of the CTIA's Messaging Principles (5.1.3), the others those
that carriers know. A message is such a word whatever its case, accents, punctuation, blanks and emoji, and whatever
the phone has put below.
"""

import re
from collections.abc import Collection, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from messagehub.errors import Refusal
from messagehub.text import plain_words

Kind = Literal["opt_out", "opt_in", "help"]

LONGEST = 200
"""Characters of a message that can be one of these words, with all that is between them."""

# By what they mean and in which language. The first of several languages is meant where nothing tells them apart.
KEYWORDS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "opt_out": {
        "en": (
            "STOP", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPT OUT", "REMOVE", "TD",
        ),
        "fr": ("ARRÊT", "ARRÊTE", "ARRÊTEZ", "DÉSABONNER", "DÉSABONNEMENT"),
        "es": ("ALTO", "PARAR", "BAJA", "CANCELAR", "DETENER"),
        "pt": ("PARAR", "SAIR", "CANCELAR"),
        "de": ("STOPP", "HALT", "ABMELDEN"),
        "it": ("FERMA", "BASTA"),
        "nl": ("AFMELDEN",),
        "pl": ("ZATRZYMAJ",),
        "ru": ("ОСТАНОВИТЬ", "СТОП", "ОТПИСАТЬСЯ"),
        "tr": ("İPTAL", "RET"),
    },
    "opt_in": {
        "en": ("START", "YES", "UNSTOP"),
        "fr": ("DÉMARRER", "REPRENDRE"),
        "es": ("COMENZAR", "REANUDAR"),
        "pt": ("COMEÇAR", "VOLTAR"),
        "de": ("ANMELDEN",),
        "it": ("INIZIA", "RIPRENDI"),
        "nl": ("AANMELDEN",),
        "pl": ("WZNÓW",),
        "ru": ("СТАРТ",),
        "tr": ("BAŞLAT",),
    },
    "help": {
        "en": ("HELP", "INFO"),
        "fr": ("AIDE",),
        "es": ("AYUDA",),
        "pt": ("AJUDA",),
        "de": ("HILFE",),
        "it": ("AIUTO",),
        "nl": ("HULP",),
        "pl": ("POMOC",),
        "ru": ("ПОМОЩЬ",),
        "tr": ("YARDIM",),
    },
}  # fmt: skip

LANGUAGES = tuple(KEYWORDS["opt_out"])
NEVER_IGNORED = ("STOP",)
"""What nobody can switch off: it is the word that people are told to write."""

EVERYWHERE = ("STOP", "STOP ALL", "START", "UNSTOP", "HELP", "INFO")
"""What people of all languages are told to write, by our own answers, too: it says nothing of theirs."""

SPANISH = (
    "+34", "+51", "+52", "+53", "+54", "+56", "+57", "+58", "+502", "+503", "+504", "+505", "+506", "+507", "+591",
    "+593", "+595", "+598", "+1809", "+1829", "+1849",
)  # fmt: skip
CALLING_CODES: dict[str, tuple[str, ...]] = {
    "fr": ("+33", "+221", "+225", "+262", "+590", "+594", "+596"),
    "es": SPANISH,
    "pt": ("+55", "+351", "+244", "+258"),
    "de": ("+49", "+43"),
    "it": ("+39",),
    "nl": ("+31",),
    "pl": ("+48",),
    "ru": ("+7",),
    "tr": ("+90",),
}
"""Where a language is the one that is spoken, or of those of a word the one that is meant."""


SIGNATURE = re.compile(
    "sent (from|via) .+|get outlook for .+"  # en
    "|envoye (de|depuis|a partir de|via) .+"  # fr
    "|enviado (desde|do|da|de|del|a partir d[eo]|via) .+"  # es, pt
    "|(von|aus) .+ gesendet|gesendet (von|mit|aus|uber) .+"  # de
    "|inviato (da|dal|dalla|con) .+"  # it
    "|(verstuurd|verzonden) (vanaf|vanuit|met|via|van) .+"  # nl
    "|wysla(ne|no) (z|ze) .+"  # pl
    "|отправлено (с|из|со) .+"  # ru
    "|.+[dt][ae]n gonderildi"  # tr; without "from" it may be what somebody has paid
)
"""`Sent from my iPhone`, as `plain_words` has it."""

LOOK_ALIKE = ("abekmhopctyxisj", "авекмнорстухіѕј")
"""Letters that look the same as capitals or small, Latin and Cyrillic: keyboards are changed between two letters."""

_TO_LATIN = dict(zip(*LOOK_ALIKE[::-1], strict=True))
_TO_CYRILLIC = dict(zip(*LOOK_ALIKE, strict=True))
_LATIN, _CYRILLIC = re.compile("[a-z]"), re.compile("[\u0400-\u04ff]")


class Said(Struct, frozen=True):
    kind: Kind
    language: str
    word: str
    """As the table has it."""
    spoken: str = ""
    """The language of whoever wrote it, where the word is of all of them and the country tells."""


def plain(text: str) -> str:
    """Its words, each in one alphabet: `STOP` with a Cyrillic `О` in it is the English one."""
    said = plain_words(text)
    return said if said.isascii() else " ".join(map(_in_one_alphabet, said.split(" ")))


def _in_one_alphabet(word: str) -> str:
    """As it is, where it has letters of both that look like none of the other."""
    latin, cyrillic = set(_LATIN.findall(word)), set(_CYRILLIC.findall(word))
    if latin and cyrillic <= _TO_LATIN.keys():
        return "".join(_TO_LATIN.get(each, each) for each in word)
    if cyrillic and latin <= _TO_CYRILLIC.keys():
        return "".join(_TO_CYRILLIC.get(each, each) for each in word)
    return word


def bare(text: str) -> str:
    """Only letters and digits: `O P T - O U T` and `OptOut` are the same."""
    return plain(text).replace(" ", "")


def unsigned(text: str) -> str:
    """Without a last line that a phone or a mail program has put there. What is long is left as it is."""
    if len(text) > LONGEST:
        return text
    before, _, last = text.rstrip().rpartition("\n")
    return before if before and SIGNATURE.fullmatch(plain_words(last)) else text


def _each() -> Iterator[tuple[str, Kind, str, str]]:
    for kind, by_language in KEYWORDS.items():
        for language, words in by_language.items():
            yield from ((bare(word), kind, language, word) for word in words)


_MEANT: dict[str, list[Said]] = {}
for _bare, _kind, _language, _word in _each():
    _MEANT.setdefault(_bare, []).append(Said(_kind, _language, _word))


def read(text: str, address: str = "", ignored: Collection[str] = ()) -> Said | None:
    """What a whole message means, or None: it is something else. `ignored`: words as `checked` gives them.

    `address` is who wrote: where the word is of several languages, the country tells which.
    """
    text = unsigned(text)
    if len(text) > LONGEST or not (meanings := _MEANT.get(word := bare(text))) or word in ignored:
        return None
    said = next((one for one in meanings if address.startswith(CALLING_CODES.get(one.language, "-"))), meanings[0])
    return replace(said, spoken=_spoken(address)) if said.word in EVERYWHERE else said


def _spoken(address: str) -> str:
    return next((language for language, codes in CALLING_CODES.items() if address.startswith(codes)), "")


def checked(given: Collection[str], field: str = "ignored_keywords") -> tuple[str, ...]:
    """Words to be ignored, as they are compared. Refusal for what is no keyword, and for those that always count."""
    found = []
    for n, word in enumerate(given):
        if (said := bare(word)) not in _MEANT:
            raise Refusal("INVALID_KEYWORD", f"{field}[{n}]: {word[:40]!r} is no keyword; docs/keywords.md lists them")
        if said in map(bare, NEVER_IGNORED):
            raise Refusal("INVALID_KEYWORD", f"{field}[{n}]: {word[:40]!r} always ends messages; choose another word")
        found.append(said)
    return tuple(dict.fromkeys(found))


def shown(ignored: Collection[str]) -> list[str]:
    """Words that are ignored, as people write them."""
    return [_MEANT[word][0].word for word in ignored if word in _MEANT]


def as_markdown() -> str:
    """The table of words as docs/opt-out.md shows it."""
    titles = {"opt_out": "ends messages", "opt_in": "wants them again", "help": "asks for help"}
    rows = [
        f"| `{language}` | " + " | ".join(", ".join(KEYWORDS[kind].get(language, ())) for kind in KEYWORDS) + " |"
        for language in LANGUAGES
    ]
    head = f"| language | {' | '.join(titles[kind] for kind in KEYWORDS)} |"
    return "\n".join([head, "| --- | --- | --- | --- |", *rows])
