"""Plain facts that an answer names outright: languages, times and places. Found by their words, for want of nothing cleverer."""

from __future__ import annotations

import re

from django.conf.locale import LANG_INFO

_MORE_LANGUAGES = (
    *(
        "Mandarin",
        "Cantonese",
        "Yoruba",
        "Igbo",
        "Hausa",
        "Twi",
        "Akan",
        "Ewe",
        "Fula",
        "Wolof",
        "Lingala",
        "Kinyarwanda",
        "Kirundi",
        "Luganda",
    ),
    *(
        "Somali",
        "Amharic",
        "Tigrinya",
        "Oromo",
        "Zulu",
        "Xhosa",
        "Shona",
        "Sesotho",
        "Setswana",
        "Afrikaans",
        "Chichewa",
        "Malagasy",
        "Berber",
    ),
    *("Tagalog", "Filipino", "Cebuano", "Ilocano", "Kurdish", "Pashto", "Dari", "Farsi", "Punjabi", "Gujarati", "Sinhala", "Khmer", "Lao"),
    *(
        "Burmese",
        "Malay",
        "Javanese",
        "Quechua",
        "Guarani",
        "Haitian Creole",
        "Romani",
        "Yiddish",
        "Maltese",
        "Tibetan",
        "Uyghur",
        "Swahili",
    ),
    *(
        "Sign Language",
        "Romansh",
        "Basque",
        "Maori",
        "Samoan",
        "Hawaiian",
        "Navajo",
        "Cree",
        "Inuktitut",
        "Chinese",
        "Portuguese",
        "Spanish",
    ),
)
_NAMES = {
    str(info["name"]).split(" (")[0].removeprefix("Brazilian ").removeprefix("British ") for info in LANG_INFO.values() if "name" in info
}
# Names of languages that are also ordinary words, or parts of other names.
_NOT_ALONE = frozenset({"Interlingua", "Ido", "Simplified Chinese", "Traditional Chinese", "Lower Sorbian", "Upper Sorbian"})
_LANGUAGES = {name.lower(): name for name in (*_NAMES, *_MORE_LANGUAGES) if name not in _NOT_ALONE} | {
    str(info["name_local"]).lower(): str(info["name"])
    for info in LANG_INFO.values()
    if "name_local" in info and "(" not in info["name"] and len(str(info["name_local"])) > 3
}
_LANGUAGE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _LANGUAGES), key=len, reverse=True)) + r")\b", re.IGNORECASE)
# "English teacher" and "French literature" name a subject, "learning Greek" a wish.
_NOT_SPOKEN = re.compile(
    r"\b(?:learn(?:ing)?|stud(?:y|ying|ied)|teach(?:ing|er)?|literature|food|kitchen|cuisine|music|history|films?|class(?:es)?)\b", re.I
)

_NUMBERS = {"five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40}
_HOURS = re.compile(
    rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?:hours?|hrs?|h)\b(?:\s+\w+){{0,2}}?\s+(?:a|per|each|every)\s+week\b", re.IGNORECASE
)
_TIMES: dict[str, str] = {
    "full time": r"\bfull[- ]?time\b|\ball day\b|\bwhole days?\b",
    "part time": r"\bpart[- ]?time\b|\bhalf days?\b|\ba few hours\b",
    "mornings": r"\bmornings?\b|\bbefore noon\b",
    "afternoons": r"\bafternoons?\b|\bafter lunch\b",
    "evenings": r"\bevenings?\b|\bafter (?:work|school|dinner|six|seven)\b",
    "nights": r"\bnights\b|\bat night\b",
    "weekends": r"\bweekends?\b|\bsaturdays? and sundays?\b",
    "weekdays": r"\bweekdays?\b|\bmonday (?:to|till|through) friday\b|\bduring the week\b",
    "school holidays": r"\b(?:school |summer )holidays?\b|\bin (?:the )?summer\b",
    "flexible": r"\bany ?time\b|\bflexible\b|\balways free\b|\bwhenever\b",
    **{f"{day}s": rf"\b{day}s?\b" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")},
}
_TIME_PATTERNS = {label: re.compile(pattern, re.IGNORECASE) for label, pattern in _TIMES.items()}
_NO_TIME = re.compile(r"\b(?:not|never|no|except|but not|cannot|can['’]t)\b[^.;]*$", re.IGNORECASE)

_PREPOSITION = r"(?:in|near|at|around|outside|close to|to|from)"
_AT_HOME = re.compile(
    rf"\b(?:live|living|lives|based|located|stay|staying|moved|home is|come|i am|i['’]m|born)"
    rf"\s+(?:\w+\s+)??{_PREPOSITION}\s+(?:the\s+)?(.+)$",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"^(?:i\s+)?(?:live|am|i['’]m|just|currently|now|well|it['’]?s|its|we|are|my|home|town|city|is|{_PREPOSITION}|the)\s+", re.IGNORECASE
)
_PLACE_ENDS = re.compile(
    r"\s+(?:with|and|but|where|since|for|because|right|now|at the moment|these days|who|which|so|near|in the|ago|again|today"
    r"|last (?:year|month|week)|this year)\b.*$",
    re.IGNORECASE,
)
_LONGEST_PLACE_WORDS, _LONGEST_LOWER_CASE_PLACE_WORDS = 5, 2
_PLACE_PARTICLES = frozenset(
    {"of", "the", "upon", "on", "de", "la", "le", "am", "an", "der", "do", "del", "di", "south", "north", "east", "west"}
)
_NO_PLACE = re.compile(
    r"\b(?:with|my|me|home|here|there|nowhere|everywhere|anywhere|parents?|family|house|flat|love|school|work|team|time|hm+|um+|well|why|no|yes|not|nothing|it|is|have|think|was|late|like)\b",
    re.IGNORECASE,
)


def languages_in(clause: str) -> list[str]:
    """English names of the languages that a clause says are spoken."""
    if _NOT_SPOKEN.search(clause):
        return []
    found = dict.fromkeys(_LANGUAGES[match.lower()] for match in _LANGUAGE.findall(clause))
    return [name.capitalize() if name == "Sign Language" else name for name in found]


def availability_in(clause: str) -> list[str]:
    """The times that a clause names, without those after a negation."""
    said = _NO_TIME.sub("", clause)
    hours = [f"{_NUMBERS.get(number.lower(), number)} hours a week" for number in _HOURS.findall(said)]
    times = [label for label, pattern in _TIME_PATTERNS.items() if pattern.search(said)]
    is_weekend = "weekends" in times
    return [*hours, *(label for label in times if not (is_weekend and label in ("Saturdays", "Sundays")))]


def places_in(clause: str) -> list[str]:
    """The place that a clause names as where somebody lives; of a short clause, all of it."""
    if clause.rstrip().endswith("?"):
        return []
    match = _AT_HOME.search(clause)
    place = match[1] if match else clause
    while not match and (shorter := _LEADING.sub("", place)) != place:
        place = shorter
    place = _PLACE_ENDS.sub("", place).strip(" .,!?;:'’\"")
    words = place.split()
    if not words or len(words) > _LONGEST_PLACE_WORDS or _NO_PLACE.search(place) or any(character.isdigit() for character in place):
        return []
    if place.islower():
        # Said aloud, or typed in a hurry: a word or two may be a name, more are a sentence.
        return [place.title()] if len(words) <= _LONGEST_LOWER_CASE_PLACE_WORDS else []
    return [place] if all(word[:1].isupper() or word.lower() in _PLACE_PARTICLES for word in words) else []
