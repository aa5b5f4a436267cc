from __future__ import annotations

from django import template
from django.utils.translation import get_language

from core.money import Money

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Minor units of a currency as people write them in the language of the page."""
    return Money(amount, currency).in_locale(get_language() or "en")
