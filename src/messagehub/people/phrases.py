"""Sentences that are probably an opt-out: "please stop texting me". Pure, and conservative.

47 CFR 64.1200(a)(10) takes any wording for a revocation that a reasonable person would understand as one. These are
the plain ones. What is long, has a digit, or asks something is left to people.
"""

import re
from functools import cache

from messagehub.people.words import KEYWORDS, LANGUAGES, Said, bare, plain, unsigned
from messagehub.text import plain_words

LONGEST = 80
MOST_WORDS = 12
QUESTIONS = "?¿؟？\u037e"

# What may stand before and after, and changes nothing.
POLITE = {
    "en": "please|pls|plz|ok|okay|hi|hello|hey|sorry|just|kindly|now|already|thanks|thank you|thx|immediately|i said",
    "fr": "svp|s il vous plait|sil vous plait|stp|merci|bonjour|maintenant",
    "es": "por favor|porfavor|gracias|hola|ya|favor de",
    "pt": "por favor|porfavor|obrigado|obrigada|ola|ja",
    "de": "bitte|danke|hallo|sofort|jetzt|endlich",
    "it": "per favore|perfavore|grazie|ciao|adesso|subito",
    "nl": "alsjeblieft|alstublieft|aub|graag|dank je|bedankt|hallo|nu",
    "pl": "prosze|dziekuje|dzien dobry|juz",
    "ru": "пожалуиста|спасибо|здравствуите|уже|все",
    "tr": "lutfen|tesekkurler|merhaba|artik",
}
WORDS = {
    "MESSAGES": "texts?|txts?|messages?|msgs?|sms|text messages?|sms messages?|spam|alerts|notifications|updates|ads",
    "LISTS": "((mailing|contact|text|sms|marketing|messaging|call) )?(lists?|database|system)",
}

# Sentences as regular expressions over folded text; they have to match the whole of it.
PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        r"stop( ?stop)+|stop (it|this)",
        r"(text|txt|reply|send) stop",
        r"(stop|quit|cease) (texting|txting|messaging|contacting|calling|writing|spamming|bothering|harassing)"
        r"( to)?( me| us| this number| my phone)?",
        r"(stop|quit|end|cancel|no more( of)?)( sending)?( me| us)?( (all|any) of| all)?"
        r"( these| those| this| the| your| any| more)?"
        r"( more)? (MESSAGES)( to (me|this number))?",
        r"(dont|do not|never) (ever )?(text|message|contact|write)( to)? (me|us|this number)( again| any ?more| ever)?",
        r"(dont|do not|never) (ever )?((text|message|contact)( again| any ?more)?|call (again|any ?more))",
        r"(dont|do not|never) (ever )?send( me| us| this number)?( any| these| your)?( more)? (MESSAGES)( any ?more)?",
        r"(i )?(dont|do not) want( to (get|receive))?( any| these| your)?( more| of these)? (MESSAGES)( any ?more)?",
        r"(remove|delete) (me|my number|this number)( (from|off)( the| this| your)? (LISTS))?",
        r"(take|get) (me|my number|this number) (off|out)( of)?( the| this| your)?( (LISTS))?",
        r"(unsubscribe|unsub)( me)?( from)?( this| these| your| all)?( (list|MESSAGES))?",
        r"(i (want|would like|wish|need) to |id like to |i wanna |let me )(unsubscribe|opt out|be removed)"
        r"( from)?( this| these| your| all)?( (MESSAGES|LISTS))?",
        r"i (want|would like|wish) to (stop|cancel)( receiving| getting)?( this| these| your| all| the)? (MESSAGES)",
        r"(i )?(hereby )?(revoke|withdraw)( my)? consent",
        r"(opt|opting) me out",
        r"opt out of (this|these|your|all)( (MESSAGES))?",
        r"(leave me alone|lose my number)",
        r"wrong number( please)? (stop|remove me|stop texting( me)?)",
        r"stpo|sotp|stpp|stopo|unsubcribe|unsuscribe|unsubsribe|unsubscibe|unsubscribed",
    ),
    "fr": (
        r"(plus de|stop aux|arretez( de)?( m ?envoyer)?( vos| les| ces| des)?) (messages|sms|pubs?)",
        r"ne (m|me )?(ecrivez|envoyez|contactez) plus( rien)?( de (messages|sms))?",
        r"stop (a la |aux? |les |vos )?(pubs?|sms|spams?|messages)",
        r"(arretez|arrete) de (m|me )?(ecrire|contacter|spammer|harceler|envoyer des (messages|sms))",
        r"(desabonnez|desinscrivez|retirez|enlevez|supprimez) moi( de (la|votre|cette|vos) listes?)?",
        r"(je (veux|souhaite|voudrais) )?(me|m|se) ?(desabonner|desinscrire)",
        r"(je )?(ne )?(veux |souhaite |voudrais )?plus recevoir( de| vos| ces)? (messages|sms|pubs?)",
    ),
    "es": (
        r"no mas( (mensajes|textos|sms))?",
        r"(ya )?no me (escriba|escriban|escribas)( mas)?",
        r"(ya )?no me (envie|envien|envies|mande|manden|mandes) (mas|nada|mas mensajes|mensajes|mas sms|sms)",
        r"no (envie|envien|envies|mande|manden|mandes)( mas)? (mensajes|textos|sms)",
        r"(deje|dejen|deja) de (escribirme|molestarme|molestar|(enviar|mandar)(me)?( (mensajes|textos|sms))?)",
        r"(quiero |deseo )?(darme|darse|dar|denme|deme) de baja",
        r"(ya )?no (quiero|deseo)( recibir)?( mas)? (mensajes|textos|sms)",
        r"(quitenme|quiteme|quitame|eliminenme|elimineme|borrenme|borreme|saquenme|saqueme) de (la|su|esta|tu) lista",
    ),
    "pt": (
        r"(nao|chega de) (quero )?(receber )?mais (mensagens|sms)",
        r"nao (quero|desejo) (mais )?receber( mais)?( as| essas| estas| suas| as suas)? (mensagens|sms)( mais)?",
        r"nao me (escreva|escrevam)( mais)?",
        r"nao (me )?(envie|enviem|mande|mandem)( mais)? (mensagens|sms)",
        r"(pare|parem|para) de (me )?(enviar|mandar|escrever)( (mensagens|sms))?( para mim)?",
        r"(quero |desejo )?(sair (da|dessa|desta) lista|me descadastrar)",
        r"pare|parem",
        r"(me )?(remova|removam|retire|retirem|tire|tirem)( me)? (da|dessa|desta|de sua) lista",
    ),
    "de": (
        r"keine (weiteren )?(nachrichten|sms|werbung)( mehr)?( schicken| senden)?",
        r"(schreiben sie|schreib|schreibt|senden sie|sende|schicken sie|schick|schickt) (mir|uns) "
        r"(nicht|nichts|keine (nachrichten|sms|werbung)) mehr",
        r"nicht mehr (schreiben|schicken|senden|kontaktieren)",
        r"ich (will|mochte) keine (weiteren )?(nachrichten|sms|werbung)( mehr)?( erhalten| bekommen)?",
        r"(horen sie|hor|hort) auf( mir zu schreiben)?",
        r"(melden sie mich|melde mich|meldet mich) ab",
        r"(nehmen sie|nimm|nehmt) mich (von|aus) (der|ihrer|eurer|dieser) liste",
    ),
    "it": (
        r"(basta|stop)( con)?( i| gli| questi)? (messaggi|sms)",
        r"non (mi )?(scrivete|scrivetemi|mandate|mandatemi|inviate|inviatemi|contattate|contattatemi)( piu)?"
        r"( (messaggi|sms))?",
        r"non voglio( piu)?( ricevere)?( piu)? (messaggi|sms)",
        r"(voglio )?(disiscrivermi|disiscrivetemi)",
        r"(toglietemi|cancellatemi|rimuovetemi)( dalla (vostra )?lista)?",
    ),
    "nl": (
        r"geen (berichten|sms|smsjes|smsen)( meer)?",
        r"ik wil geen (berichten|sms|smsjes)( meer)?( ontvangen)?",
        r"stop met( het)?( sturen( van)?)?( (mij|me))?( te)? (berichten|sms|smsjes|smsen)( (te )?(sturen|versturen))?",
        r"stop (er ?mee|hier ?mee|daar ?mee)",
        r"stuur (mij|me) (geen (berichten|sms|smsjes)|niets|niks) meer",
        r"(haal|verwijder|schrap) (mij|me) (van|uit) (de|jullie|uw|deze) lijst",
    ),
    "pl": (
        r"(przestan|przestancie) (do mnie )?(pisac|wysylac)( do mnie)?( sms| wiadomosci)?",
        r"nie (pisz|piszcie|wysylaj|wysylajcie)( do mnie| mi)?( wiecej)?( sms| wiadomosci)?",
        r"nie chce( wiecej)? (sms|smsow|wiadomosci)",
        r"(wypisz|wypiszcie) mnie( z listy)?",
    ),
    "ru": (
        r"(больше )?не (пишите|пиши)( мне)?( больше)?",
        r"(больше )?не (присылаите|отправляите|шлите)( мне)?( больше)? (сообщении|сообщения|смс|рассылку)",
        r"(больше )?не хочу( больше)?( получать)? (сообщении|сообщения|смс|рассылку)",
        r"(хватит|прекратите|перестаньте)( мне)? (писать|слать|присылать|спамить)( мне)?( сообщения| смс)?",
        r"хватит|отпишись",
        r"(отпишите|отпиши|удалите|уберите) меня( из (списка|базы|рассылки))?",
    ),
    "tr": (
        r"(bana )?(bir daha )?(mesaj|sms) (atmayin|atma|gondermeyin|gonderme|yollamayin)",
        r"(artik )?(mesaj|sms)( almak)? istemiyorum",
        r"(beni )?listeden(izden)? (cikarin|cikar|cik|silin|sil)",
    ),
}

WEAK = ("END", "CANCEL", "QUIT", "REMOVE", "TD", "ALTO", "HALT", "RET", "SAIR")
"""Keywords that are one only when they stand alone: with more around them they are words like others."""


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Compiled when somebody first writes: that takes longer than any other module takes to be loaded."""
    strong = [plain_words(word) for word in KEYWORDS["opt_out"][language] if word not in WEAK]
    keywords = "|".join([*strong, *(["stop"] if language != "en" else [])])
    phrases = "|".join([*PHRASES[language], f"(?:{keywords})(?: (?:{keywords}))*"])
    for name, words in WORDS.items():
        phrases = phrases.replace(name, words)
    polite = f"(?:{POLITE[language]})"
    return re.compile(f"(?:{polite} )*(?:{phrases})(?: {polite})*")


def read(text: str, ignored: tuple[str, ...] = ()) -> Said | None:
    """Whether it is probably an opt-out. `ignored`: as with `words.read`; alone in politeness they are nothing."""
    text = unsigned(text)
    if len(text) > LONGEST or any(mark in text for mark in QUESTIONS):
        return None
    said = plain(text)
    if any(each.isdigit() for each in said) or said.count(" ") >= MOST_WORDS:
        return None
    for language in LANGUAGES:
        if _pattern(language).fullmatch(said):
            return None if _is_ignored(said, language, ignored) else Said("opt_out", language, "")
    return None


def _is_ignored(said: str, language: str, ignored: tuple[str, ...]) -> bool:
    left = re.sub(f"\\b(?:{POLITE[language]})\\b", " ", said)
    return bare(left) in ignored
