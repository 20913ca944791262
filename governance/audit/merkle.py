"""The tree over the log, in tiles of 256 hashes, and the proofs that it gives (RFC 9162, section 2.1).

A tile of level 0 holds leaf hashes, one of level 1 the roots of 256 tiles below it, and so on. Only full tiles are
kept; what stands beyond the last full one is read from the level below. So a proof reads a few tiles, however long the
log.
"""

from collections.abc import Callable, Sequence
from typing import Final

from governance.audit.verifier import EMPTY_ROOT, node_hash

WIDTH: Final = 256
HEIGHT: Final = 8
# Roots of subtrees that a tree remembers at most, so that memory stays flat however many proofs it gives.
REMEMBERED: Final = 20_000


class DamagedTree(LookupError):
    """Hashes that the log must have are not there."""


# The hashes of a tile, as many as there are: given its level and its index on that level.
ReadTile = Callable[[int, int], Sequence[bytes]]


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


class Tree:
    """The tree over the first `size` leaves of a log whose tiles `read` gives."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        return self._root(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The proof that a leaf stands at `index`, from its sibling up. Raises ValueError for an index outside."""
        if not 0 <= index < self.size:
            raise ValueError(f"a log of {self.size} events has no event {index}")
        proof: list[bytes] = []
        start, stop = 0, self.size
        while stop - start > 1:
            middle = start + _largest_power_below(stop - start)
            if index < middle:
                proof.append(self._root(middle, stop))
                stop = middle
            else:
                proof.append(self._root(start, middle))
                start = middle
        return tuple(reversed(proof))

    def consistency(self, earlier: int) -> tuple[bytes, ...]:
        """The proof that this tree begins with the one of `earlier` leaves. Raises ValueError for a larger one."""
        if not 0 <= earlier <= self.size:
            raise ValueError(f"a log of {self.size} events never had {earlier}")
        if earlier in {0, self.size}:
            return ()
        proof: list[bytes] = []
        start, stop, whole = 0, self.size, True
        while earlier != stop:
            middle = start + _largest_power_below(stop - start)
            if earlier <= middle:
                proof.append(self._root(middle, stop))
                stop = middle
            else:
                proof.append(self._root(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self._root(start, stop))
        return tuple(reversed(proof))

    def _root(self, start: int, stop: int) -> bytes:
        """The root over the leaves from `start` up to `stop`, which begin where a subtree of theirs may begin."""
        count = stop - start
        if count & (count - 1) == 0:
            return self._complete(start, count)
        middle = start + _largest_power_below(count)
        return node_hash(self._root(start, middle), self._root(middle, stop))

    def _complete(self, start: int, count: int) -> bytes:
        # Proofs of leaves beside each other share most of their hashes.
        if (start, count) not in self._roots:
            if len(self._roots) >= REMEMBERED:
                self._roots.clear()
                self._tiles.clear()
            self._roots[start, count] = self._read_complete(start, count)
        return self._roots[start, count]

    def _read_complete(self, start: int, count: int) -> bytes:
        level, rest = divmod(count.bit_length() - 1, HEIGHT)
        first = start >> (level * HEIGHT)
        tile, offset = divmod(first, WIDTH)
        if (level, tile) not in self._tiles:
            self._tiles[level, tile] = self._read(level, tile)
        hashes = self._tiles[level, tile][offset : offset + 2**rest]
        if len(hashes) != 2**rest:
            raise DamagedTree(f"the log lacks hashes of its tile {level}/{tile}")
        return complete_root(hashes)


def _largest_power_below(number: int) -> int:
    """The largest power of two smaller than a number of at least 2."""
    return 1 << ((number - 1).bit_length() - 1)
