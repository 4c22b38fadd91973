"""What tells the drafts apart: the connection, the company and the partner that is written to."""


def key_of(connection_id: int, company_id: int, partner_id: int) -> str:
    """Return the key of the draft to that partner."""
    return f"{connection_id}-{company_id}-{partner_id}"


def read(key: str) -> tuple[int, int, int] | None:
    """Return what a key names; None where it is none."""
    numbers = key.split("-")
    if len(numbers) != 3 or not all(number.isascii() and number.isdecimal() and len(number) < 19 for number in numbers):
        return None
    connection_id, company_id, partner_id = (int(number) for number in numbers)
    return connection_id, company_id, partner_id
