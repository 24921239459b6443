"""XML of strangers: without entities, of bounded depth, each element with its line; and XML of ours.

On expat directly: the standard library's trees forget the lines, and defusedxml's parser is in Python.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from cv_pipelines.errors import InputError

_DEEPEST = 32
_MOST_NODES = 1_000_000
_MOST_TEXT = 16 << 20
_PIECE = 1 << 16


@dataclass(slots=True)
class Node:
    """An element; `text` is all the text directly in it, without space around it."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def find(self, tag: str) -> "Node | None":
        """The first child of a tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list["Node"]:
        """The children of a tag."""
        return [child for child in self.children if child.tag == tag]

    def said(self, *tags: str) -> str:
        """The text of a descendant; empty where there is none."""
        node: Node | None = self
        for tag in tags:
            node = node.find(tag) if node else None
        return node.text if node else ""


def load_xml(path: Path, root: str) -> Node:
    """A small XML file whole.

    Raises:
        InputError: `not_xml`, or `wrong_format` where the outermost element is another.
    """
    *_, (depth, node) = walk_xml(path, 0)
    if node.tag != root or depth:
        raise InputError("wrong_format", f"'{path}': <{root}> is expected, it is <{node.tag[:40]}>.")
    return node


def walk_xml(path: Path, depth: int = 1) -> Iterator[tuple[int, Node]]:
    """Yield the elements at a depth as they end, and last the outermost one, which has lost those.

    Args:
        path: the file.
        depth: 0 is the outermost element, 1 its children.

    Raises:
        InputError: `not_xml`: broken, with entities of its own, too deep, or an element too large.
    """
    builder = _Builder(path, depth)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            builder.feed(piece, last=False)
            while builder.done:
                yield builder.done.popleft()
    builder.feed(b"", last=True)
    yield from builder.done


class _Builder:
    def __init__(self, path: Path, depth: int) -> None:
        self.done: deque[tuple[int, Node]] = deque()
        self._path, self._depth = path, depth
        self._open: list[tuple[Node, list[str]]] = []
        self._nodes = self._text = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._entity

    def feed(self, piece: bytes, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            message = f"'{self._path}' line {error.lineno}: not XML: {expat.ErrorString(error.code)}."
            raise InputError("not_xml", message) from error
        except ValueError as error:  # an encoding that expat does not know
            raise InputError("not_xml", f"'{self._path}': not XML: {error}.") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        self._text += sum(len(value) for value in attributes.values())
        if len(self._open) >= _DEEPEST:
            self._refuse(f"elements more than {_DEEPEST} deep")
        self._limit()
        self._open.append((Node(tag, attributes, self._parser.CurrentLineNumber), []))

    def _data(self, text: str) -> None:
        self._text += len(text)
        self._limit()
        if self._open:
            self._open[-1][1].append(text)

    def _end(self, _: str) -> None:
        node, texts = self._open.pop()
        node.text = "".join(texts).strip()
        depth = len(self._open)
        if depth == self._depth or not depth:
            self.done.append((depth, node))
            self._nodes = self._text = 0
        elif self._open:
            self._open[-1][0].children.append(node)

    def _entity(self, *_: object) -> None:
        self._refuse("it declares entities, which are not read")

    def _limit(self) -> None:
        if self._nodes > _MOST_NODES or self._text > _MOST_TEXT:
            self._refuse("an element that is too large")

    def _refuse(self, problem: str) -> None:
        raise InputError("not_xml", f"'{self._path}' line {self._parser.CurrentLineNumber}: {problem}.")


_UNSPEAKABLE = dict.fromkeys((*range(32), 65534, 65535, *range(55296, 57344)), "�")
for _allowed in (9, 10, 13):
    del _UNSPEAKABLE[_allowed]
_SPACE = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;", '"': "&quot;"}


def xml(value: object) -> str:
    """A value as text of an element or in a quoted attribute; signs that XML does not have become U+FFFD."""
    return escape(str(value).translate(_UNSPEAKABLE), _SPACE)
