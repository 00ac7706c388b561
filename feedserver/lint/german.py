"""German: numerals, units, and the words of the news."""

from __future__ import annotations

import re

from feedserver.lint.language import Language, stems, words

_ONES = stems("ein zwei drei vier fünf sechs sieben acht neun")
_SMALL: dict[str, float] = {
    **{word: value for value, word in enumerate(_ONES, 1)},
    "null": 0,
    "eins": 1,
    "eine": 1,
    "einen": 1,
    "einem": 1,
    "einer": 1,
    "eines": 1,
    "zwo": 2,
    "beide": 2,
    "beiden": 2,
    "zehn": 10,
    "elf": 11,
    "zwölf": 12,
    "dreizehn": 13,
    "vierzehn": 14,
    "fünfzehn": 15,
    "sechzehn": 16,
    "siebzehn": 17,
    "achtzehn": 18,
    "neunzehn": 19,
    "dutzend": 12,
    "ehepaar": 2,
    "ehepaars": 2,
    "zwillinge": 2,
    "drillinge": 3,
    "anderthalb": 1.5,
    "eineinhalb": 1.5,
    "zweieinhalb": 2.5,
    "dreieinhalb": 3.5,
    "viereinhalb": 4.5,
    "fünfeinhalb": 5.5,
}
_TENS = {
    "zwanzig": 20,
    "dreißig": 30,
    "dreissig": 30,
    "vierzig": 40,
    "fünfzig": 50,
    "sechzig": 60,
    "siebzig": 70,
    "achtzig": 80,
    "neunzig": 90,
}
_WORD_MAX = 40  # letters: no numeral of the news is longer
_COMPOUND = re.compile(
    rf"(?:(?P<thousand>[a-zäöüß]{{0,24}})tausend)?(?:(?P<hundred>{'|'.join(_ONES)})?hundert(?:und(?!.*zig|.*ßig))?)?"
    rf"(?:(?P<one>{'|'.join(_ONES)})und)?(?P<ten>{'|'.join(_TENS)})?(?P<rest>[a-zäöüß]{{0,9}})"
)
_ORDINAL = re.compile(r"(.+?)(st|t)(?:e|en|er|es|em)")
_IRREGULAR: dict[str, float] = {"erst": 1, "dritt": 3, "siebt": 7, "acht": 8}
_ENDINGS = ("e", "en", "er", "es", "em", "")


def _cardinal(word: str) -> float | None:
    if (value := _SMALL.get(word)) is not None:
        return value
    if word in _TENS:
        return _TENS[word]
    word = word.removesuffix("mal") if word.endswith("mal") else word
    if word in _SMALL:
        return _SMALL[word]
    if len(word) > _WORD_MAX:
        return None
    found = _COMPOUND.fullmatch(word)
    if found is None or not (
        any(found.group("one", "ten")) or "hundert" in word or "tausend" in word
    ):
        return None
    thousand, one, ten, rest = found.group("thousand", "one", "ten", "rest")
    if one and not ten:
        return None
    value = 0.0
    if "tausend" in word:
        inner = _cardinal(thousand) if thousand else 1
        if inner is None:
            return None
        value += 1000 * inner
    if "hundert" in word.rpartition("tausend")[2]:
        value += 100 * _SMALL.get(found["hundred"] or "ein", 1)
    if ten:
        value += _TENS[ten] + (_SMALL[one] if one else 0)
    if rest:
        if ten or rest not in _SMALL:
            return None
        value += _SMALL[rest]
    return value or None


def _ordinal(word: str) -> float | None:
    for ending in ("en", "er", "es", "em", "e"):
        if word.endswith(ending):
            root = word.removesuffix(ending)
            if root in _IRREGULAR:
                return _IRREGULAR[root]
            if root.endswith("st") and (value := _cardinal(root[:-2])) and value >= 20:
                return value
            if root.endswith("t") and (value := _cardinal(root[:-1])) and value < 20:
                return value if root != "acht" else 8
    return None


def _aged(word: str) -> float | None:
    number, found, _ = word.partition("jährig")
    return _cardinal(number) if found and number else None


GERMAN = Language(
    decimal=",",
    groups=".\u00a0\u202f\u2009'’ ",
    cardinal=_cardinal,
    ordinal=_ordinal,
    aged=_aged,
    ordinal_end=re.compile(r"\.(?=\s+\w)"),
    scales={
        "hundert": 1e2,
        "tausend": 1e3,
        "tsd": 1e3,
        "million": 1e6,
        "millionen": 1e6,
        "mio": 1e6,
        "milliarde": 1e9,
        "milliarden": 1e9,
        "mrd": 1e9,
        "billion": 1e12,
        "billionen": 1e12,
    },
    fractions={
        "hälfte": 50,
        "halbe": 50,
        "drittel": 100 / 3,
        "viertel": 25,
        "fünftel": 20,
        "zehntel": 10,
    },
    units={
        "prozent": ("%", 1),
        "dollar": ("dollar", 1),
        "euro": ("euro", 1),
        "cent": ("euro", 0.01),
        "pfund": ("pound", 1),
        "franken": ("franc", 1),
        "kronen": ("crown", 1),
        "kilomet": ("metre", 1000),
        "km": ("metre", 1000),
        "meter": ("metre", 1),
        "zentimet": ("metre", 0.01),
        "cm": ("metre", 0.01),
        "millimet": ("metre", 0.001),
        "kmh": ("kmh", 1),
        "stundenkilomet": ("kmh", 1),
        "kilo": ("gram", 1000),
        "kg": ("gram", 1000),
        "tonne": ("gram", 1e6),
        "hektar": ("hectare", 1),
        "grad": ("degree", 1),
        "stärke": ("magnitude", 1),
        "sekunde": ("hour", 1 / 3600),
        "minute": ("hour", 1 / 60),
        "stunde": ("hour", 1),
        "tag": ("day", 1),
        "tage": ("day", 1),
        "tagen": ("day", 1),
        "woche": ("day", 7),
        "monat": ("month", 1),
        "jahr": ("year", 1),
        "jahrzehnt": ("year", 10),
        "jahrhundert": ("year", 100),
        "nacht": ("night", 1),
        "nächte": ("night", 1),
        "liter": ("litre", 1),
        "quadrat": ("area", 1),
        "megawatt": ("watt", 1e6),
        "kilowatt": ("watt", 1e3),
        "barrel": ("barrel", 1),
        "wochenend": ("weekend", 1),
        "feinunze": ("ounce", 1),
        "punkt": ("point", 1),
        "zähler": ("point", 1),
    },
    months={
        month: number
        for number, month in enumerate(
            stems(
                "januar februar märz april mai juni juli august september oktober november dezember"
            ),
            1,
        )
    }
    | {"jänner": 1},
    hours={"uhr": 0},
    hour_before=frozenset(),
    age=re.compile(r"jährig|jahre? alt"),
    age_before=words("alter"),
    more=words("mehr über mindestens wenigstens gut überspringt höher"),
    than=words("als"),
    less=words("weniger höchstens maximal"),
    about=words("rund etwa fast knapp ungefähr circa ca nahezu zirka bis beinahe gegen"),
    former=words("zuvor zunächst vorher früher bisher ursprünglich anfangs bislang"),
    classes={
        "dead": stems(
            "tot tote toten toter todes todesopfer gestorben starb starben sterben getötet "
            "umgekommen ertrunken erschoss erschossen opfer leichen leiche leben tötet tödlich "
            "erlag umkam um kamen tod ertrank geborgen"
        ),
        "hurt": stems("verletz klinik krankenh blessur"),
        "saved": stems("gerett rett geborgen befrei geholt gezogen lebend überleb aufgenommen"),
        "missing": stems("vermiss verscholl verschütt"),
        "held": stems("festnahm festgenommen nahm haft verhaft verdächtig festnahme"),
        "moved": stems("evaku verlassen verlass häuser"),
        "homes": stems("haushalt häuser wohnung kunden"),
        "cars": stems("auto autos wagen fahrzeug lastwagen"),
        "jobs": stems("stelle job jobs arbeitspl mitarbeit beschäftigt belegschaft menschen"),
        "flights": stems("flug flüge flügen flugrout routen"),
        "planes": stems("flugzeug maschine"),
        "drones": stems("drohne"),
        "seats": stems("sitz mandat"),
        "votes": stems("stimm abgeordnet votiert"),
        "strike": stems("streik warnstreik ausstand"),
        "people": stems(
            "mensch person passagier mann männer frau kind jung mädchen schüler fahrg insass "
            "bewohn arbeiter soldat polizist beamt feuerwehrleut tourist bergsteig skifahr "
            "migrant opfer eltern mutter vater sohn tochter jugendlich zuschau besuch teilnehm "
            "gäste fahrgäst patient geisel häftling deutsch bergleut matros besatzung anwohn "
            "demonstr helfer kräfte fan fans verletzt lehrer ärzt arzt freund bruder brüder "
            "reisend dorfbewohn wanderer reporter minister festgenommen einwohn familie straftäter "
            "täter verdächtig räuber dieb schleuser häftling gefangen schütze angreifer rentner "
            "bürger wähler mitglied abgeordnet kandidat bewerb mitarbeit beschäftigt angestellt "
            "lehrkr student studier studentin auszubild azubi landwirt bauer bauern händler "
            "fischer seemann seeleut kapitän pilot lokführer fahrer fahrerin radfahr fußgäng "
            "motorradfahr autofahr taucher schwimm kletter skitour pilger gläubig priester "
            "bischof kardinal mönch nonne künstler musiker sänger schauspiel spieler läufer "
            "sportler athlet biathlet zeuge zeugin nachbar verwandt angehör großmutter großvater "
            "oma opa onkel tante enkel neffe nichte säugling baby babys kleinkind drilling "
            "zwilling ehepaar paar geschwist flüchtling geflücht asylbew schutzsuch einwander "
            "kämpfer rebell islamist milizion siedler bewaffnet wachmann sanität notarzt pfleger "
            "pflegekr krankenschw forscher wissenschaft ingenieur astronaut diplomat botschaft "
            "richter anwalt anwält zivilist obdachlos bedürftig heimkehr rückkehr fischersleut"
        ),
    },
    person_ends=stems("männer frauen leute kräfte mitarbeiter arbeiter kinder"),
    ones=words("ein eine einen einem einer seine ihre sein ihr seinen ihren"),
    halves=words(
        "pause halbzeit führung führte zurück lag lagen hinspiel ausgleich zwischenzeitlich "
        "minute minuten"
    ),
    before_noun=words("der weitere weiteren weiterer menschen anderen andere neue neuen mann"),
    turns=words("wird wurde werde"),
    years=words("jahre jahren jahr"),
    singles=frozenset(),
    numbered=words("tag woche runde etappe platz spieltag rang stufe stock"),
    stops=words(
        "der die das und oder in im an am auf zu zum zur für von vom bei beim mit als ist sind war "
        "waren wird werden wurde wurden hat haben hatte hatten sich nicht auch nach vor seit über "
        "unter mehr weniger rund etwa noch nur ein eine einen einem einer eines er sie es dass "
        "daß wie so aus bis damit davon dazu darunter weitere weiteren anderen teilte mit sagte "
        "menschen jahr jahre jahren wegen durch gegen ohne um"
    ),
    stem=6,
)
