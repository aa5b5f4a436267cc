"""Signs that a posting is a scam, found by rules that a person can read. They only call for a look; nothing is refused because of them.

The patterns follow the US Federal Trade Commission ("Job scams", consumer.ftc.gov), the Better Business Bureau's study "Is that job offer
real?" (2020) and the UK's JobsAware.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from catalog.enums import ReviewSignal
from catalog.models import Opportunity

_MONEY = r"(?:[$€£]\s?\d|\d+\s?(?:usd|eur|gbp|dollars?|euros?|pounds?))"
_FEE = (
    r"\b(?:registration|processing|application|training|starter|starting|onboarding|security|background[- ]check|visa"
    r"|admin(?:istration)?|refundable)\b[\w\s-]{0,20}\b(?:fees?|deposits?|costs?)\b"
)
_PATTERNS: dict[ReviewSignal, tuple[str, ...]] = {
    ReviewSignal.ASKS_FOR_MONEY: (
        rf"{_FEE}[^.!?\n]{{0,60}}(?:{_MONEY}|\bpay|\brequired|\brefund|\bbefore\b|\bup ?front)",
        rf"\b(?:pay|send|transfer|deposit)\b[^.!?\n]{{0,30}}{_MONEY}[^.!?\n]{{0,60}}"
        r"\b(?:to (?:apply|start|begin|register|secure|reserve)|before)\b",
        r"(?<!\bwe )\bpay (?:a|the|your) [\w\s-]{0,20}(?:fee|deposit)\b",
        r"\b(?:buy|purchase) (?:your|the|a) (?:own )?(?:starter|training) (?:kit|pack)",
    ),
    ReviewSignal.UNTRACEABLE_PAYMENT: (
        r"\b(?:western union|money ?gram|wire transfers?|gift ?cards?|cash ?app|zelle|bitcoin|btc|usdt|tether)\b",
        r"\b(?:crypto(?:currency)? wallet|cash(?:ing)? (?:the |a )?che(?:que|ck)s?|deposit (?:the |a |this )?che(?:que|ck))\b",
    ),
    ReviewSignal.ASKS_FOR_IDENTITY: (
        r"\b(?:send|provide|submit|share|give|e-?mail)\b[^.!?\n]{0,60}\b(?:bank (?:account|details|login)|account number|routing number"
        r"|credit card|social security|ssn|passport (?:copy|scan|number)|copy of (?:your )?(?:passport|id|driver)|online banking|pin code)",
    ),
    ReviewSignal.PRIVATE_CONTACT: (
        r"\b(?:whats ?app|telegram|signal app|google hangouts?|wechat)\b|\bt\.me/|\bwa\.me/",
        r"\b(?:e-?mail|contact|write|send|apply|cv|resume)\b[^!?\n]{0,80}@(?:gmail|yahoo|hotmail|outlook|aol|proton(?:mail)?|mail|yandex)\.",
    ),
    ReviewSignal.TOO_GOOD: (
        rf"\b(?:earn|make|get|income of|up to)\b[^.!?\n]{{0,30}}{_MONEY}[\d.,kK]*[^.!?\n]{{0,20}}"
        r"\b(?:per|a|each|every|an)\b ?(?:day|hour|week)[^.!?\n]{0,80}"
        r"\b(?:no experience|from home|part[- ]time|guaranteed|easy|simple|online)",
        r"\b(?:no experience|no skills?|no interview)\b[^.!?]{0,80}\b(?:guaranteed|immediate(?:ly)?|instant|earn|weekly pay|daily pay)",
        r"\b(?:guaranteed (?:income|salary|job|visa|profits?)|get rich|financial freedom|quit your (?:day )?job|easy money)\b",
        r"\b(?:passive income|be your own boss|unlimited (?:income|earnings?))\b",
    ),
    ReviewSignal.MULTI_LEVEL: (
        r"\b(?:multi[- ]?level|network marketing|mlm|downline|recruit (?:your )?(?:friends|others|family)|pyramid)\b",
        r"\b(?:commission|bonus|paid|earn)\b[^.!?\n]{0,40}\b(?:each|every|per)\b[^.!?\n]{0,15}"
        r"\b(?:person|friend|member|recruit)s? (?:you )?(?:recruit|refer|bring|sign)",
    ),
}
_COMPILED = {signal: re.compile("|".join(patterns), re.IGNORECASE) for signal, patterns in _PATTERNS.items()}
_SHORTENERS = frozenset(
    ("bit.ly", "tinyurl.com", "goo.gl", "t.co", "is.gd", "ow.ly", "cutt.ly", "rebrand.ly", "rb.gy", "shorturl.at", "tiny.cc")
)
_LONGEST_EXCERPT = 200
_SHOUTED_LETTERS = 40
_SHOUTED_SHARE = 0.6
_MOST_TEXT = 20_000


def scam_signals(opportunity: Opportunity) -> Iterator[tuple[ReviewSignal, str]]:
    """Each signal once, with the words that gave it."""
    text = f"{opportunity.title}\n{opportunity.description}"[:_MOST_TEXT]
    for signal, pattern in _COMPILED.items():
        found = pattern.search(text)
        if found:
            yield signal, " ".join(found.group().split())[:_LONGEST_EXCERPT]
    if _hides_its_address(opportunity.url):
        yield ReviewSignal.HIDDEN_ADDRESS, opportunity.url[:_LONGEST_EXCERPT]
    if _shouts(text):
        yield ReviewSignal.SHOUTING, opportunity.title[:_LONGEST_EXCERPT]


def _hides_its_address(url: str) -> bool:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return host in _SHORTENERS or bool(re.fullmatch(r"[\d.]+", host))


def _shouts(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    mostly_capitals = len(letters) >= _SHOUTED_LETTERS and sum(letter.isupper() for letter in letters) > _SHOUTED_SHARE * len(letters)
    return mostly_capitals or "!!!" in text
