"""How many decimals the sums of a currency have, as ISO 4217 and Odoo have it: yen none, Kuwaiti dinars three."""

from decimal import Decimal

USUAL = 2
# Of a currency that people are paid in.
MOST_DIGITS = 3
DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "BYR",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "TWD",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYI", "UYW"], 4),
}


def digits_of(currency: str | None) -> int:
    """How many decimals a sum in ``currency`` has; two where no currency is known."""
    return DIGITS.get((currency or "").upper(), USUAL)


def exact(amount: Decimal) -> str:
    """Return a sum as programs read it: "6200.00", with more decimals only where it has them."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"
