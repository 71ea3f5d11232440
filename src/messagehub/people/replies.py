"""What people are answered who write STOP, START or HELP: texts by language, and those of customers' own. Pure.

One confirmation and no marketing (47 CFR 64.1200(a)(12)), short enough for one segment.
"""

import re
from collections.abc import Mapping, Sequence

from messagehub import text
from messagehub.errors import Refusal
from messagehub.people.words import LANGUAGES, Kind

MOST_PARTS = 2
LONGEST_NAME = 32
"""Characters of a customer's name in an answer."""

MEMBERS = ("brand", "contact")
"""What stands in braces: the customer's name, and its telephone number or e-mail address."""

NAMED = re.compile(r"\{(\w*)\}")

REPLIES: dict[Kind, dict[str, str]] = {
    "opt_out": {
        "en": "{brand}: You are unsubscribed and will receive no more messages. Reply START to resubscribe.",
        "fr": "{brand}: Désabonnement effectué, vous ne recevrez plus de messages. Répondez START pour vous réabonner.",
        "es": "{brand}: Baja confirmada, ya no le enviaremos mensajes. Responda START para volver a recibirlos.",
        "pt": "{brand}: Cancelado, as mensagens terminam aqui. Responda START para voltar a receber.",
        "de": "{brand}: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START melden Sie sich wieder an.",
        "it": "{brand}: Iscrizione annullata, non riceverà altri messaggi. Risponda START per riattivarla.",
        "nl": "{brand}: U bent afgemeld en ontvangt geen berichten meer. Antwoord START om u weer aan te melden.",
        "pl": "{brand}: Wypisano. Nie bedzie wiecej wiadomosci. Odpisz START, aby je przywrocic.",
        "ru": "{brand}: Вы отписаны. Чтобы вернуться, ответьте START.",
        "tr": "{brand}: Aboneliginiz iptal edildi, mesaj almayacaksiniz. Yeniden almak icin START yazin.",
    },
    "opt_in": {
        "en": "{brand}: You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
        "fr": "{brand}: Abonnement repris. Répondez AIDE pour de l'aide, STOP pour vous désabonner.",
        "es": "{brand}: Mensajes activados de nuevo. Responda AYUDA para ayuda, STOP para darse de baja.",
        "pt": "{brand}: As mensagens foram reativadas. Responda AJUDA para ajuda, STOP para cancelar.",
        "de": "{brand}: Sie sind wieder angemeldet. HILFE hilft weiter, STOP meldet Sie ab.",
        "it": "{brand}: Iscrizione riattivata. Risponda AIUTO per aiuto, STOP per annullare.",
        "nl": "{brand}: U bent weer aangemeld. Antwoord HULP voor hulp, STOP om u af te melden.",
        "pl": "{brand}: Wiadomosci przywrocone. POMOC - pomoc, STOP - rezygnacja.",
        "ru": "{brand}: Вы снова подписаны. Помощь: ПОМОЩЬ, отписка: СТОП.",
        "tr": "{brand}: Aboneliginiz yeniden basladi. Yardim icin YARDIM, iptal icin STOP yazin.",
    },
    "help": {
        "en": "{brand}: Help at {contact}. Msg&data rates may apply. Text STOP to cancel.",
        "fr": "{brand}: Aide: {contact}. Des frais peuvent s'appliquer. Répondez STOP pour vous désabonner.",
        "es": "{brand}: Ayuda: {contact}. Pueden aplicarse tarifas. Responda STOP para cancelar.",
        "pt": "{brand}: Ajuda: {contact}. Podem ser cobradas tarifas. Responda STOP para cancelar.",
        "de": "{brand}: Hilfe: {contact}. Es können Kosten anfallen. STOP meldet Sie ab.",
        "it": "{brand}: Aiuto: {contact}. Possono applicarsi costi. Risponda STOP per annullare.",
        "nl": "{brand}: Hulp: {contact}. Er kunnen kosten zijn. Antwoord STOP om u af te melden.",
        "pl": "{brand}: Pomoc: {contact}. Moga obowiazywac oplaty. STOP - rezygnacja.",
        "ru": "{brand}: Помощь: {contact}. Отписка: СТОП.",
        "tr": "{brand}: Yardim: {contact}. Ucret uygulanabilir. Iptal icin STOP yazin.",
    },
}


def rendered(
    kind: Kind,
    languages: Sequence[str],
    brand: str,
    contact: str,
    own: Sequence[Mapping[Kind, Mapping[str, str]]] = (),
) -> str:
    """The answer in the first of the languages that one of `own` has, or else in the first, and ours. Where there is no
    `contact`, the sentence that names it is left out."""
    texts = [each[kind] for each in own if kind in each]
    theirs = (each[language] for language in languages for each in texts if language in each)
    template = next(theirs, "") or REPLIES[kind][languages[0]]
    if not contact and "{contact}" in template:
        template = _without_contact(template)
    return NAMED.sub(lambda match: {"brand": brand[:LONGEST_NAME], "contact": contact}[match[1]], template)


def _without_contact(template: str) -> str:
    sentences = [each for each in re.split(r"(?<=[.!]) ", template) if "{contact}" not in each]
    head = [] if any("{brand}" in each for each in sentences) else ["{brand}:"]
    return " ".join([*head, *sentences])


def check(given: Mapping[Kind, Mapping[str, str]], field: str = "opt_out_replies") -> None:
    """Refusal for a language that is not known, a member in braces that there is not, and what is too long."""
    for kind, by_language in given.items():
        for language, words in by_language.items():
            place = f"{field}.{kind}.{language}"
            if language not in LANGUAGES:
                raise Refusal("INVALID_REPLY", f"{place}: the languages are {', '.join(LANGUAGES)}")
            if unknown := [name for name in NAMED.findall(words) if name not in MEMBERS]:
                raise Refusal(
                    "INVALID_REPLY", f"{place}: {{{unknown[0]}}} stands for nothing; use {{brand}} or {{contact}}"
                )
            if not words.strip() or text.count_parts(words) > MOST_PARTS:
                raise Refusal("INVALID_REPLY", f"{place}: write 1 to {MOST_PARTS} segments")
