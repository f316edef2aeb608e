"""Values as HTML in which nothing hides: control, bidi and blank characters show as marked escapes."""

from __future__ import annotations

import json
from functools import lru_cache

from markupsafe import Markup

from hubspec.printable import escaped, hidden


def cell(value: object, other: object = None, *, exact: bool = False) -> Markup:
    """Return one value of a table as HTML; what a list has and `other` lacks is marked. `exact` writes it as JSON."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup('<i class="none">not there</i>')
    if isinstance(value, list | tuple) and value and not exact:
        against = other if isinstance(other, list | tuple) else value
        shown = (cell(v) if v in against else Markup("<mark>{}</mark>").format(cell(v)) for v in value)
        return Markup(", ").join(shown)
    if isinstance(value, str) and value.strip() == value != "" and not exact:
        return visible(value)
    return visible(json.dumps(value, ensure_ascii=False, default=str))


def visible(text: object, keep: str = "") -> Markup:
    """Return the same as HTML, with each escape marked as one. Characters in `keep` stay as they are."""
    return _visible(str(text), keep)


@lru_cache(maxsize=8192)  # most texts of a page stand in it once for each of thousands of checks
def _visible(raw: str, keep: str) -> Markup:
    if not hidden(raw):
        return Markup.escape(raw)
    mark = Markup('<i class="x">{}</i>')
    return Markup("").join(mark.format(escaped(c)) if hidden(c) and c not in keep else c for c in raw)


def lines(text: object) -> Markup:
    """Return a command or a request as HTML that keeps its line ends and tabs."""
    return visible(text, keep="\n\t")


def ticked(text: str) -> Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = [visible(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def copyable(text: object) -> bool:
    """Say whether a text shows all that it holds, so that what is copied is what was read."""
    return not hidden(str(text).replace("\n", "").replace("\t", ""))


def code(text: object) -> Markup:
    """Return a name or a value as code, marked where what would be copied is not what is shown."""
    begin = Markup("<code>") if copyable(text) else Markup("<code class=raw>")
    return begin + lines(text) + Markup("</code>")


def slug(text: object) -> str:
    """Return an outcome or a state as the name of its class."""
    return str(text).replace(" ", "-")


def shown(value: object) -> object:
    """Return a text of the template's so that all of it shows; anything else as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
