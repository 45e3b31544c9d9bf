"""The root of every error that a person may see."""


class TenfoldError(Exception):
    """Something Tenfold can name: the world failed, or it was asked for what it cannot do.

    The message is one sentence for a person: noun, name, state, effect. `remedy` says what to do, or is
    empty. The command line prints both and exits with status 2.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.remedy}" if self.remedy else message
