"""What goes on at a node after a fault was injected there, and must end with the fault or with the node."""

from collections.abc import Awaitable, Callable


class ActiveFaults:
    """Of one node, by the word of the fault: a rhythm of stops, a queue of connections that is kept full."""

    def __init__(self) -> None:
        self._ends: dict[str, Callable[[], Awaitable[None]]] = {}

    def __contains__(self, word: str) -> bool:
        return word in self._ends

    def begin(self, word: str, end: Callable[[], Awaitable[None]]) -> None:
        """`end` is called once, when the fault is reverted or the node is closed."""
        self._ends[word] = end

    async def end(self, word: str) -> None:
        """Nothing to do when it does not go on."""
        end = self._ends.pop(word, None)
        if end is not None:
            await end()

    async def end_all(self) -> None:
        for word in list(self._ends):
            await self.end(word)
