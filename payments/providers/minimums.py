"""The least that Stripe charges in each currency (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).

Stripe publishes the minimum of some currencies; in every other one it is half a US dollar at the day's rate. For those the table says about
a whole dollar, so that a price that was saved stays chargeable when rates move. A currency that is in neither table cannot be charged:
Stripe does not offer it, or, like MGA, counts it in other units than ISO 4217."""

from __future__ import annotations

from decimal import Decimal

from core.money import Money, exponent_of

# In minor units.
_PUBLISHED = {
    **{"USD": 50, "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30},
    **{"HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200},
    **{"SEK": 300, "SGD": 50, "THB": 1000},
}
# In major units, rounded up: the rates of November 2026.
_ABOUT_A_DOLLAR = {
    **{"AFN": 70, "ALL": 95, "AMD": 390, "AOA": 920, "ARS": 2000, "AWG": 2, "AZN": 2, "BAM": 2, "BBD": 2, "BDT": 125},
    **{"BHD": 1, "BIF": 3000, "BMD": 1, "BND": 2, "BOB": 7, "BSD": 1, "BWP": 14, "BYN": 4, "BZD": 2, "CDF": 3000, "CLP": 1000},
    **{"CNY": 8, "COP": 4500, "CRC": 520, "CVE": 105, "DJF": 180, "DOP": 65, "DZD": 135, "EGP": 50, "ETB": 150, "FJD": 3, "FKP": 1},
    **{"GEL": 3, "GIP": 1, "GMD": 75, "GNF": 9000, "GTQ": 8, "GYD": 210, "HNL": 27, "HTG": 135, "IDR": 17000, "ILS": 4, "ISK": 140},
    **{"JMD": 165, "JOD": 1, "KES": 130, "KGS": 88, "KHR": 4100, "KMF": 450, "KRW": 1450, "KWD": 1, "KYD": 1, "KZT": 550},
    **{"LAK": 22000, "LBP": 90000, "LKR": 305, "LRD": 200, "LSL": 19, "MAD": 10, "MDL": 18, "MKD": 55, "MMK": 2100, "MNT": 3600},
    **{"MOP": 9, "MUR": 47, "MVR": 16, "MWK": 1750, "MZN": 65, "NAD": 19, "NGN": 1600, "NIO": 37, "NPR": 142, "OMR": 1, "PAB": 1},
    **{"PEN": 4, "PGK": 5, "PHP": 60, "PKR": 285, "PYG": 8000, "QAR": 4, "RSD": 110, "RWF": 1450, "SAR": 4, "SBD": 9, "SCR": 15},
    **{"SHP": 1, "SLE": 24, "SOS": 575, "SRD": 40, "SZL": 19, "TJS": 10, "TND": 4, "TOP": 3, "TRY": 45, "TTD": 7, "TWD": 33},
    **{"TZS": 2700, "UAH": 43, "UGX": 3700, "UYU": 41, "UZS": 12500, "VND": 26500, "VUV": 122, "WST": 3, "XAF": 600, "XCD": 3},
    **{"XOF": 600, "XPF": 110, "YER": 250, "ZAR": 19, "ZMW": 25},
}


def least_charge(currency: str) -> Money | None:
    """The smallest amount that can be charged to a card, in minor units; None if the currency cannot be charged."""
    if currency in _PUBLISHED:
        return Money(_PUBLISHED[currency], currency)
    if currency in _ABOUT_A_DOLLAR:
        return Money(int(Decimal(_ABOUT_A_DOLLAR[currency]).scaleb(exponent_of(currency))), currency)
    return None
