"""Words that end messages, bring them back or ask for help: whatever they look like, and nothing else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.errors import Refusal
from messagehub.people import phrases, words
from messagehub.people.words import KEYWORDS, Kind

ALL = [(kind, language, word) for kind, by in KEYWORDS.items() for language, found in by.items() for word in found]
NOISE = st.text(st.sampled_from(" \t\r\n.,!'\"-_*~…«»()¡🛑✋🏽❤️\u200b\u200d\ufe0f"), max_size=4)


def accents_off(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


LOOKS = [
    str.upper,
    str.lower,
    str.title,
    str.swapcase,
    accents_off,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text),  # full width
]


@given(st.sampled_from(ALL), st.sampled_from(LOOKS), st.data())
def test_a_word_is_the_same_however_it_is_written(
    one: tuple[Kind, str, str], look: object, data: st.DataObject
) -> None:
    kind, _, word = one
    assert callable(look)
    noisy = "".join(data.draw(NOISE) + each for each in look(word)) + data.draw(NOISE)
    said = words.read(noisy)
    assert said is not None
    assert said.kind == kind


@given(st.sampled_from(ALL), st.text(st.sampled_from("0123456789٣Ⅳ"), min_size=1, max_size=6), st.booleans())
def test_with_a_digit_it_is_data(one: tuple[Kind, str, str], digits: str, before: bool) -> None:
    text = f"{digits} {one[2]}" if before else f"{one[2]} {digits}"
    assert words.read(text) is None
    assert phrases.read(text) is None


@given(st.text(max_size=300))
def test_whatever_comes_it_is_read(text: str) -> None:
    words.read(text)
    phrases.read(text)


@pytest.mark.parametrize(
    "text",
    ["STOP 12345", "stop by at five", "1", "", "   ", "🛑", "don't", "starts", "helpful", "nonstop", "stop" * 60],
)
def test_what_is_none_of_the_words(text: str) -> None:
    assert words.read(text) is None


def test_the_language_is_that_of_the_word_or_of_the_country() -> None:
    languages = {
        ("Arrêt", "+33612345678"): "fr",
        ("STOP", "+14155550100"): "en",
        ("parar", "+34612345678"): "es",
        ("parar", "+5511912345678"): "pt",
        ("iptal", "+905312345678"): "tr",
        ("стоп!", "+79161234567"): "ru",
    }
    assert {key: said.language for key in languages if (said := words.read(*key))} == languages


@pytest.mark.parametrize(
    ("word", "address", "language"),
    [
        ("STOP", "+33612345678", "fr"), ("Start", "+4915112345678", "de"), ("info", "+31612345678", "nl"),
        ("stop all", "+525512345678", "es"),
        ("STOP", "+18095550100", "es"), ("STOP", "+14155550100", ""), ("STOP", "+447700900001", ""),
        ("UNSUBSCRIBE", "+33612345678", ""), ("Stopp", "+33612345678", ""),
    ],
)  # fmt: skip
def test_of_who_writes_a_word_of_all_languages_the_country_tells(word: str, address: str, language: str) -> None:
    assert (said := words.read(word, address))
    assert said.spoken == language


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STОP", "STOP"), ("ЅТОP", "STOP"), ("stор all", "STOP ALL"), ("CTOП", "СТОП"), ("cтoп!", "СТОП"),
        ("НЕLP", "HELP"),
    ],
)  # fmt: skip
def test_letters_of_another_alphabet_that_look_the_same(text: str, word: str) -> None:
    assert (said := words.read(text))
    assert said.word == word


SIGNATURES = [
    "Sent from my iPhone", "Sent from my Galaxy S21", "Sent via the Samsung Galaxy, an AT&T 5G smartphone",
    "Get Outlook for Android", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Enviado do meu iPhone",
    "Von meinem iPhone gesendet", "Gesendet von Outlook für iOS", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone",
    "Wysłane z iPhone’a", "Отправлено с iPhone", "iPhone’umdan gönderildi", "Outlook'tan gönderildi",
    "-- \nSent from my phone.\n",
]  # fmt: skip


@pytest.mark.parametrize("signature", SIGNATURES)
def test_what_a_phone_puts_below_is_not_read(signature: str) -> None:
    assert (said := words.read(f"STOP\n\n{signature}"))
    assert said.word == "STOP"
    assert phrases.read(f"Please stop texting me\r\n\r\n{signature}")
    assert words.read(signature) is None
    assert words.read(f"STOP\nby at five\n\n{signature}") is None


def test_a_second_line_that_tells_something_is_no_signature() -> None:
    assert words.read("İptal\nödeme gönderildi") is None
    assert words.read("Ret\nFatura gönderildi") is None


def test_long_texts_that_are_signed_are_no_words() -> None:
    assert words.read("STOP" + " " * 200 + "\nSent from my iPhone") is None
    assert phrases.read("Please stop texting me" + " " * 200 + "\nSent from my iPhone") is None


def test_words_can_be_switched_off_but_for_stop() -> None:
    ignored = words.checked(["end", "Cancel"])
    assert words.read("END", ignored=ignored) is None
    assert words.read("c.a.n.c.e.l", ignored=ignored) is None
    assert words.read("QUIT", ignored=ignored) is not None
    assert words.shown(ignored) == ["END", "CANCEL"]
    for word, why in (("stop", "always"), ("banana", "no keyword"), ("", "no keyword")):
        with pytest.raises(Refusal, match=why):
            words.checked(["END", word])


# --- sentences --------------------------------------------------------------------------

PROBABLE = {
    "please stop texting me": "en",
    "СТОП СТОП": "ru",
    "Désabonner stop !": "fr",
    "STOP PUB": "fr",
    "Stop ermee": "nl",
    "Stop. Thank you": "en",
    "STOP STOP STOP": "en",
    "Please stop!!": "en",
    "take me off your list": "en",
    "Remove me from your mailing list, please": "en",
    "Don’t text me anymore": "en",
    "Do not contact me again": "en",
    "no more messages": "en",
    "stop sending me these messages": "en",
    "I want to unsubscribe": "en",
    "leave me alone": "en",
    "STPO": "en",
    "unsubcribe": "en",
    "wrong number, stop": "en",
    "plz stop txting me": "en",
    "stop txts": "en",
    "stop calling me": "en",
    "stopstop": "en",
    "Reply STOP": "en",
    "Do not contact": "en",
    "I hereby revoke my consent.": "en",
    "withdraw consent": "en",
    "Stop it": "en",
    "no more of these messages": "en",
    "stop all of your texts": "en",
    "Don't call again": "en",
    "please stоp": "en",
    "no quiero recibir más mensajes": "es",
    "darse de baja": "es",
    "sair da lista": "pt",
    "Pare!": "pt",
    "Não quero mais receber mensagens": "pt",
    "não quero mais receber suas mensagens": "pt",
    "não quero receber SMS": "pt",
    "me désabonner": "fr",
    "Je ne veux plus recevoir vos SMS": "fr",
    "Bitte nicht mehr schreiben": "de",
    "Ich möchte keine Werbung mehr": "de",
    "non voglio più ricevere messaggi": "it",
    "ik wil geen berichten meer ontvangen": "nl",
    "stop met sms'en": "nl",
    "stop met berichten sturen": "nl",
    "Stop met mij berichten te sturen": "nl",
    "nie chcę więcej wiadomości": "pl",
    "не хочу получать рассылку": "ru",
    "хватит": "ru",
    "Отпишись": "ru",
    "отпиши меня": "ru",
    "mesaj istemiyorum": "tr",
    "listeden çık": "tr",
    "no mas": "es",
    "No más mensajes por favor": "es",
    "Ya no me escriban": "es",
    "quiero darme de baja": "es",
    "não me mande mais mensagens": "pt",
    "Ne m'écrivez plus": "fr",
    "Arrêtez de m’écrire svp": "fr",
    "stop svp": "fr",
    "bitte keine SMS mehr": "de",
    "Schreiben Sie mir nicht mehr!": "de",
    "bitte abmelden": "de",
    "basta messaggi": "it",
    "stuur me geen berichten meer": "nl",
    "przestańcie do mnie pisać": "pl",
    "Не пишите мне больше": "ru",
    "пожалуйста, отпишите меня": "ru",
    "bana mesaj atmayın": "tr",
}


@pytest.mark.parametrize(("text", "language"), PROBABLE.items(), ids=PROBABLE.keys())
def test_sentences_that_are_probably_an_opt_out(text: str, language: str) -> None:
    said = phrases.read(text)
    assert said is not None
    assert (said.kind, said.language) == ("opt_out", language)
    assert words.read(text) is None


OTHERS = [
    "Can you stop texting me?", "I want to cancel my appointment", "please cancel", "get me", "take me", "don't send",
    "the bus doesn't stop here", "stop sending the blue ones", "yes please", "quiero cancelar", "quero sair", "stop 5",
    "we stop at noon", "do not remove my order", "no", "no more milk please", "STOP " + "very " * 30 + "much",
    "end of the month", "I stopped by but nobody was there", "thanks", "¿no más?", "remove the red one",
    "please quit smoking with me", "cancel the 5pm", "help me please", "bus stop", "unsubscribe my brother",
    "text me", "call again", "don't stop", "cancel my subscription", "send stop signs", "no quiero el mensaje",
    "pare ali", "not interested", "ich will keine Milch mehr", "I do not consent",
    "end of message", "End of text", "Don't call", "never call", "do not call please", "stop with the cake",
    "não quero receber a mesa", "stop met roken", "хватит молока", "отпишись как доедешь", "Sent from my iPhone",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_sentences_that_are_something_else(text: str) -> None:
    assert phrases.read(text) is None


def test_a_word_that_is_switched_off_is_not_probable_either() -> None:
    assert phrases.read("please unsubscribe") is not None
    assert phrases.read("please unsubscribe", words.checked(["UNSUBSCRIBE"])) is None
    assert phrases.read("unsubscribe me", words.checked(["UNSUBSCRIBE"])) is not None
