"""English: numerals, units, and the words of the news."""

from __future__ import annotations

import re

from feedserver.lint.language import Language, stems, words

_SMALL = stems(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = stems("twenty thirty forty fifty sixty seventy eighty ninety")
_CARDINALS: dict[str, float] = {
    **{word: value for value, word in enumerate(_SMALL)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    "nil": 0,
    "dozen": 12,
    "twin": 2,
    "twins": 2,
    "couple": 2,
    "both": 2,
    "twice": 2,
    "thrice": 3,
}
_ORDINALS: dict[str, float] = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    **{f"{word}th": _SMALL.index(word) for word in stems("four six seven ten eleven")},
    **{f"{word}th": value for value, word in enumerate(_SMALL) if value > 12},
    **{f"{word[:-1]}ieth": 10 * value for value, word in enumerate(_TENS, 2)},
}

ENGLISH = Language(
    decimal=".",
    groups=",\u00a0\u202f\u2009",
    cardinal=_CARDINALS.get,
    ordinal=_ORDINALS.get,
    aged=lambda _: None,
    ordinal_end=re.compile(r"(st|nd|rd|th)\b"),
    scales={
        "hundred": 1e2,
        "thousand": 1e3,
        "k": 1e3,
        "million": 1e6,
        "m": 1e6,
        "mn": 1e6,
        "billion": 1e9,
        "bn": 1e9,
        "b": 1e9,
        "trillion": 1e12,
        "tn": 1e12,
    },
    fractions={
        "half": 50,
        "halves": 50,
        "third": 100 / 3,
        "thirds": 100 / 3,
        "quarter": 25,
        "quarters": 25,
        "fifth": 20,
        "fifths": 20,
        "tenth": 10,
        "tenths": 10,
    },
    units={
        "percent": ("%", 1),
        "percentage": ("%", 1),
        "pct": ("%", 1),
        "dollar": ("dollar", 1),
        "usd": ("dollar", 1),
        "cent": ("dollar", 0.01),
        "pound": ("pound", 1),
        "pence": ("pound", 0.01),
        "euro": ("euro", 1),
        "franc": ("franc", 1),
        "yen": ("yen", 1),
        "hryvnia": ("hryvnia", 1),
        "kilomet": ("metre", 1000),
        "km": ("metre", 1000),
        "m": ("metre", 1),
        "p": ("pound", 0.01),
        "night": ("night", 1),
        "metre": ("metre", 1),
        "meter": ("metre", 1),
        "centimet": ("metre", 0.01),
        "cm": ("metre", 0.01),
        "millimet": ("metre", 0.001),
        "mm": ("metre", 0.001),
        "mile": ("mile", 1),
        "mph": ("mph", 1),
        "kmh": ("kmh", 1),
        "kilogram": ("gram", 1000),
        "kg": ("gram", 1000),
        "tonne": ("gram", 1e6),
        "hectare": ("hectare", 1),
        "acre": ("acre", 1),
        "degree": ("degree", 1),
        "c": ("degree", 1),
        "magnitude": ("magnitude", 1),
        "second": ("hour", 1 / 3600),
        "minute": ("hour", 1 / 60),
        "hour": ("hour", 1),
        "day": ("day", 1),
        "week": ("day", 7),
        "fortnight": ("day", 14),
        "month": ("month", 1),
        "year": ("year", 1),
        "decade": ("year", 10),
        "centur": ("year", 100),
        "century": ("year", 100),
        "litre": ("litre", 1),
        "weekend": ("weekend", 1),
        "megawatt": ("watt", 1e6),
        "kilowatt": ("watt", 1e3),
        "barrel": ("barrel", 1),
        "feet": ("foot", 1),
        "inch": ("inch", 1),
        "ounce": ("ounce", 1),
        "point": ("point", 1),
        "square": ("area", 1),
    },
    months={
        month: number
        for number, month in enumerate(
            stems(
                "january february march april may june july august september october november "
                "december"
            ),
            1,
        )
    },
    hours={"am": 0, "pm": 12, "a.m": 0, "p.m": 12, "o'clock": 0},
    hour_before=words("at"),
    age=re.compile(r"years?-old|years? old"),
    age_before=words("aged age"),
    more=words("more over least above exceeding passes passed tops topped exceeds higher"),
    than=words("than"),
    less=words("less under below fewer most lower"),
    about=words("about around some nearly almost roughly approximately close estimated"),
    former=words("earlier previously formerly initially originally previous"),
    classes={
        "dead": stems(
            "kill die died dies dead death deadly fatal lives toll bodies body executed execut "
            "murder drown burned victim shot hanged perish"
        ),
        "hurt": stems("injur wound hurt hospital treated serious hurting"),
        "saved": stems("rescu saved save picked freed survi lifted"),
        "missing": stems("missing unaccounted trapped buried stuck"),
        "held": stems("arrest detain held hold custody jail suspect charged inmate prison"),
        "moved": stems("evacuat fled flee homeless displac"),
        "out": stems("resign quit"),
        "homes": stems("home house household customer property properties"),
        "cars": stems("car cars vehicle lorr truck tanker"),
        "jobs": stems("job jobs post posts worker staff employ workforce"),
        "flights": stems("flight"),
        "planes": stems("plane planes jet aircraft airliner"),
        "drones": stems("drone"),
        "goals": stems("goal"),
        "seats": stems("seat mandate"),
        "votes": stems("vote ballot"),
        "strike": stems("strike stop walk walkout"),
        "people": stems(
            "people person passenger man men woman women child children boy girl pupil student "
            "teenager crew sailor soldier officer police firefighter tourist climber skier pilgrim "
            "worker miner residents guest fan protester demonstrator demonstrators marcher hostage "
            "prisoner inmate patient ranger fishermen driver pilot civilian migrant mother father "
            "son daughter baby babies adult victim friend brother sister wife husband couple "
            "teacher doctor nurse artist player runner visitor researcher lodger guide family "
            "motorist villager journalist reporter minister lawmaker mp mps candidate applicant "
            "employee "
            "staff shopper spectator supporter follower voter citizen refugee asylum diver hiker "
            "swimmer surfer cyclist pedestrian motorcyclist trooper marine pirate rebel militant "
            "fighter gunman gunmen attacker suspect detainee convict smuggler robber thief thieves "
            "farmer trader vendor customer client builder electrician engineer astronaut scientist "
            "student graduate pensioner grandmother grandfather uncle aunt nephew niece cousin "
            "national fiance bride groom toddler infant newborn teen youth lawyer judge juror "
            "senator "
            "councillor delegate diplomat ambassador official volunteer medic paramedic sheriff "
            "deputy captain guard bishop priest monk nun pupil partygoer reveller singer actor "
            "musician dancer survivor casualt fatalit parent grandparent sibling twin triplet"
        ),
    },
    person_ends=stems("men women girls boys man woman girl boy people workers persons"),
    ones=words("a an his her the their another one"),
    halves=words("half interval ahead led leading break equalised levelled"),
    before_noun=words("of the other more people new further"),
    turns=words("turns turned"),
    years=words("years"),
    singles=frozenset(),
    numbered=words("game stage day week round match phase episode step place floor"),
    stops=words(
        "the a an and or of in on at to for from by with as is was were are be been has have had "
        "its their his her it they he she who which that this these those said say says after "
        "before than more over about some all also into out up down no not will would could may "
        "people other others first last year years when while during between until off since"
    ),
    stem=5,
)
