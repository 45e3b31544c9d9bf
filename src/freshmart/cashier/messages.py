"""What is asked of an acquirer, and what it answers: arrays of these, in one order."""

from typing import Annotated

import msgspec

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Fen = Annotated[int, msgspec.Meta(ge=1)]


class Demand(msgspec.Struct, frozen=True):
    """So much of a customer's money. The same key is the same money, however often it is asked for."""

    key: Key
    amount_fen: Fen


class Receipt(msgspec.Struct, frozen=True):
    """The money of that key is ours to take, under this number."""

    key: str
    authorisation: str
