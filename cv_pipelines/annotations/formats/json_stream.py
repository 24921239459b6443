"""JSON of any size, one element of a list at a time.

Each element goes through the standard library's decoder, so this is about as fast as `json.load`, and never
holds more than one element and a piece of the file. (A streaming parser such as ijson makes an event of every
number, refuses a whole file for one NaN, and cannot go on after it.)
"""

import json
import re
from collections.abc import Iterator
from json.decoder import JSONDecodeError
from pathlib import Path
from typing import Any, NoReturn, TextIO

from cv_pipelines.errors import InputError

_PIECE = 1 << 20
_MOST = 64 << 20
"""Signs of one element; the whole of a value that is not in a list of the outermost level."""
_LONGEST_CUT = 2
_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode

Member = tuple[str, int, Any]
"""Key, place in the list (-1: the value itself, or, None, that the list begins), value."""


def walk(path: Path) -> Iterator[Member]:
    """Yield what a JSON file holds: elements of its lists, other values whole.

    A file that is a list has the key "". A list of an object gives (key, -1, None) first, then its elements.

    Raises:
        InputError: `not_json`: broken, too deep, or with a single value that is too large.
    """
    with path.open(encoding="utf-8-sig") as file:
        text = _Text(path, file)
        try:
            yield from _walk(text)
        except RecursionError as error:
            raise InputError("not_json", f"'{path}' is nested too deeply near {text.place()}.") from error
        except UnicodeDecodeError as error:
            raise InputError("not_json", f"'{path}' is not UTF-8 near {text.place()}.") from error


def load_json(path: Path) -> Any:
    """A small JSON file whole.

    Raises:
        InputError: `not_json`.
    """
    try:
        if path.stat().st_size > _MOST:
            raise InputError("not_json", f"'{path}' is larger than {_MOST >> 20} MiB.")
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        raise InputError("not_json", f"'{path}' is nested too deeply.") from error
    except JSONDecodeError as error:
        raise InputError("not_json", f"'{path}' line {error.lineno}: not JSON: {error.msg}.") from error
    except ValueError as error:  # not UTF-8, or a number of thousands of digits
        raise InputError("not_json", f"'{path}' is not JSON: {error}.") from error


def _walk(text: "_Text") -> Iterator[Member]:
    first = text.sign()
    if first == "[":
        yield "", -1, None
        for number, value in enumerate(_elements(text)):
            yield "", number, value
    elif first == "{":
        yield from _members(text)
    else:
        text.fail("a list or an object is expected")
    text.skip()
    if text.peek():
        text.fail("something follows the end")


def _members(text: "_Text") -> Iterator[Member]:
    text.skip()
    if text.peek() == "}":
        text.at += 1
        return
    while True:
        text.skip()
        key = text.value()
        if not isinstance(key, str) or text.sign() != ":":
            text.fail("a key and a colon are expected")
        text.skip()
        if text.peek() == "[":
            text.at += 1
            yield key, -1, None
            for number, value in enumerate(_elements(text)):
                yield key, number, value
        else:
            yield key, -1, text.value()
        following = text.sign()
        if following == "}":
            return
        if following != ",":
            text.fail("a comma or } is expected")


def _elements(text: "_Text") -> Iterator[Any]:
    """The elements of a list whose bracket has been read."""
    text.skip()
    if text.peek() == "]":
        text.at += 1
        return
    while True:
        yield text.value()
        following = text.sign()
        if following == "]":
            return
        if following != ",":
            text.fail("a comma or ] is expected")
        text.skip()


class _Text:
    """A piece of a file, moving on."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self.at = 0
        self._path, self._file = path, file
        self._buffer, self._before = "", 0

    def more(self, count: int = 0) -> bool:
        """Forget what has been read, add more; False at the end of the file."""
        piece = self._file.read(max(count, _PIECE))
        self._before += self.at
        self._buffer = self._buffer[self.at :] + piece
        self.at = 0
        return bool(piece)

    def skip(self) -> None:
        """Go past white space."""
        while True:
            self.at = _SPACE.match(self._buffer, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self._buffer) or not self.more():
                return

    def peek(self) -> str:
        """The sign here; empty at the end."""
        return self._buffer[self.at : self.at + 1]

    def sign(self) -> str:
        """The next sign that is not white space, read."""
        sign = self._buffer[self.at : self.at + 1]
        if not sign or sign in " \t\n\r":
            self.skip()
            sign = self.peek()
        self.at += 1
        return sign

    def value(self) -> Any:
        """The value that begins here, read.

        A number may be cut by the end of the piece, in `1.` or `1e-`: what follows a value is always at hand, too.
        """
        count = 0
        while True:
            end, problem = -1, "it ends too early"
            try:
                value, end = _decode(self._buffer, self.at)
            except JSONDecodeError as error:
                problem = error.msg
            except ValueError:
                self.fail("a number of thousands of digits")
            if end >= 0 and end + _LONGEST_CUT < len(self._buffer):
                self.at = end
                return value
            if len(self._buffer) - self.at > _MOST:
                self.fail(f"{problem}, or one value is longer than {_MOST >> 20} million signs")
            ended = not self.more(count)  # what has been read is gone: the value begins at 0 now
            if ended and end < 0:
                self.fail(problem)
            if ended:
                self.at = _decode(self._buffer, self.at)[1]
                return value
            count = len(self._buffer)  # twice as much each time: reading stays linear

    def fail(self, problem: str) -> NoReturn:
        """Raise InputError `not_json` with the place."""
        raise InputError("not_json", f"'{self._path}' is not JSON near {self.place()}: {problem}.")

    def place(self) -> str:
        """Line and sign of here, for a message; reads the file again up to it."""
        goal, line, column = self._before + self.at, 1, 1
        with self._path.open(encoding="utf-8-sig", errors="replace") as file:
            while goal > 0 and (piece := file.read(min(goal, _PIECE))):
                goal -= len(piece)
                line += piece.count("\n")
                column = len(piece) - piece.rfind("\n") if "\n" in piece else column + len(piece)
        return f"line {line}, sign {column}"
