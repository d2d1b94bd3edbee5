"""The notice as plain text and as one A4 page, without anything from elsewhere. Pure."""

from __future__ import annotations

import html
import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH: Final = 88

# Every browser prints this as it stands: no font, picture or script is fetched. All lengths follow the size
# of the letters, so that a longer text is a smaller one and still one sheet.
_STYLE: Final = """
@page { size: A4 portrait; margin: 11mm 15mm; }
* { box-sizing: border-box; }
html { font-family: "Be Vietnam Pro", "Noto Sans", "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif;
  color: #111; background: #fff; font-size: SIZEpt; line-height: 1.3; overflow-wrap: anywhere; }
body { max-width: 180mm; margin: 0 auto; padding: 8mm 0; }
header { border-bottom: 0.2rem solid #111; padding-bottom: 0.6rem; margin-bottom: 0.4rem; }
h1 { font-size: 1.8rem; line-height: 1.15; margin: 0; }
h1.second { font-size: 1.15rem; font-weight: 500; color: #444; margin-top: 0.2rem; }
.place { font-size: 1.15rem; font-weight: 600; margin: 0.4rem 0 0; }
section { padding: 0.4rem 0; border-bottom: 0.05rem solid #bbb; break-inside: avoid; }
h2 { font-size: 1.15rem; margin: 0 0 0.1rem; }
h2 .second { font-weight: 500; font-size: 0.95rem; color: #444; }
p { margin: 0 0 0.1rem; }
div.second { margin-top: 0.15rem; }
div.second p { font-size: 0.83rem; line-height: 1.27; color: #333; }
mark { background: #ffe680; border: 0.07rem dashed #a60; padding: 0 0.2rem; font-weight: 600; }
footer { font-size: 0.76rem; color: #555; margin-top: 0.5rem; }
@media print { body { padding: 0; max-width: none; }
  mark { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""

_LARGEST_PT: Final = 12.0
"""Of a notice in one language: to be read from an arm's length away."""
_SMALLEST_PT: Final = 6.5
"""The longest texts a configuration admits, in both languages, still fit one sheet."""
_LETTERS_OF_A_SHEET: Final = 3150
"""Letters that fill a sheet at 10 pt, its headings included; measured with Chromium and Noto Sans."""
_SECOND_SHARE: Final = 0.69
"""Of the room a text needs in the second language's smaller letters: 0.83 squared."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Words that stand where the configuration says nothing: to be seen before the page is put up."""

    words: str


Paragraph = tuple[str | Gap, ...]
"""Pieces of one paragraph, one after the other."""


@dataclass(frozen=True, slots=True)
class Part:
    """A question and its answer."""

    heading: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice in one language.

    Attributes:
        language: BCP 47 tag.
        title: of the page.
        place: where it belongs.
        parts: in the same order in every language.
        made: by whom and from what, for the foot of the page.
    """

    language: str
    title: str
    place: str
    parts: tuple[Part, ...]
    made: str


def said(*pieces: str | Gap) -> Paragraph:
    """A paragraph."""
    return pieces


def gaps(notices: Sequence[Notice]) -> int:
    """How many things the configuration does not say."""
    return sum(
        isinstance(piece, Gap)
        for notice in notices
        for part in notice.parts
        for paragraph in part.paragraphs
        for piece in paragraph
    )


# -- text -----------------------------------------------------------------------------------------


def as_text(notices: Sequence[Notice]) -> str:
    """One language after the other."""
    return "\n\n".join(_text(notice) for notice in notices) + "\n"


def _text(notice: Notice) -> str:
    lines = [notice.title.upper(), notice.place]
    for part in notice.parts:
        lines += ["", part.heading]
        for paragraph in part.paragraphs:
            words = "".join(f"[{p.words}]" if isinstance(p, Gap) else p for p in paragraph)
            lines += textwrap.wrap(words, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join((*lines, "", *textwrap.wrap(notice.made, _WIDTH)))


# -- page -----------------------------------------------------------------------------------------


def as_page(notices: Sequence[Notice]) -> str:
    """One page; a second language stands smaller below the first, answer by answer."""
    first, *others = notices
    titles = "".join(
        f'<h1 class="second" lang="{other.language}">{html.escape(other.title)}</h1>' for other in others
    )
    body = "\n".join(_section(*parts) for parts in zip(*(_tagged(n) for n in notices), strict=True))
    style = _STYLE.replace("SIZE", f"{_size(notices):.1f}")
    made = "<br>".join(f'<span lang="{n.language}">{html.escape(n.made)}</span>' for n in notices)
    return f"""\
<!DOCTYPE html>
<html lang="{first.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(first.title)} - {html.escape(first.place)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{html.escape(first.title)}</h1>{titles}
<p class="place">{html.escape(first.place)}</p>
</header>
{body}
<footer>{made}</footer>
</body>
</html>
"""


def _size(notices: Sequence[Notice]) -> float:
    """Of the letters, points: what fits one sheet. Room grows with the square of the size."""
    first, *others = (len(_text(notice)) for notice in notices)
    letters = first + _SECOND_SHARE * sum(others)
    return max(_SMALLEST_PT, min(_LARGEST_PT, 10 * math.sqrt(_LETTERS_OF_A_SHEET / letters)))


def _tagged(notice: Notice) -> list[tuple[str, Part]]:
    return [(notice.language, part) for part in notice.parts]


def _section(first: tuple[str, Part], *others: tuple[str, Part]) -> str:
    heading = html.escape(first[1].heading)
    for language, part in others:
        heading += f' <span class="second" lang="{language}">/ {html.escape(part.heading)}</span>'
    answers = _paragraphs(first[1])
    for language, part in others:
        answers += f'\n<div class="second" lang="{language}">\n{_paragraphs(part)}\n</div>'
    return f"<section>\n<h2>{heading}</h2>\n{answers}\n</section>"


def _paragraphs(part: Part) -> str:
    return "\n".join(f"<p>{''.join(_piece(piece) for piece in one)}</p>" for one in part.paragraphs)


def _piece(piece: str | Gap) -> str:
    return f"<mark>{html.escape(piece.words)}</mark>" if isinstance(piece, Gap) else html.escape(piece)
