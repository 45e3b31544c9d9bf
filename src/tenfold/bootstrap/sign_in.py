"""How people learn the way to sign in at the console: a link is a secret, good for whoever reads it first."""

from rich.console import Console as Terminal

FLAG = "--print-sign-in"


class SignInLine:
    """Writes each new link where it is `asked` for or the terminal is a screen; elsewhere, once, how to get one."""

    def __init__(self, terminal: Terminal, command: str, *, asked: bool) -> None:
        self._terminal = terminal
        self._command = command
        self._shown = asked or terminal.file.isatty()  # rich takes a file for a screen where FORCE_COLOR is set
        self._told = False

    def write(self, link: str) -> None:
        """Called with the link to the console's page and the code in it."""
        if self._shown:
            self._say(link)
        elif not self._told:
            self._told = True
            page = link.partition("#")[0]
            self._say(f"{page}: the code is not written where output is redirected; `{self._command} {FLAG}` writes it")

    def _say(self, text: str) -> None:
        self._terminal.print(f"sign in   {text}", highlight=False, markup=False, soft_wrap=True)
