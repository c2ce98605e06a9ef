"""C++ source as the checks in this folder read it: without comments and literals, as tokens with line numbers.

It is not a parser. It knows the lexical grammar (comments, string, raw string and character literals, digit
separators, continued lines, directives), so that what the checks look for is found in code only.
"""

import os
import re

SOURCE_ENDINGS = (".cpp", ".hpp", ".cc", ".h", ".ipp")

_LEXEME = re.compile(
    r"""
      (?P<line_comment> //(?:[^\n\\]|\\.)*(?:\\\n(?:[^\n\\]|\\.)*)* )
    | (?P<block_comment> /\*.*?(?:\*/|\Z) )
    | (?P<raw> (?:u8|[uUL])?R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)" )
    | (?P<string> (?:u8|[uUL])?"(?:[^"\\\n]|\\.)*" )
    | (?P<number> (?:\d|\.\d)(?:'?[\w]|[eEpP][+-]|\.)* )
    | (?P<name> [A-Za-z_]\w* )
    | (?P<char> '(?:[^'\\\n]|\\.)*' )
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def strip(text, keep_strings=False):
    """`text` of the same length and lines, its comments blanked, and its literals too unless they are kept.

    A blanked literal leaves an empty "" or '' at its place: it is still a token.
    """

    def instead(match):
        kind, found = match.lastgroup, match.group()
        if kind == "mark":
            kind = "raw"
        if kind in ("line_comment", "block_comment"):
            return _blank(found)
        if kind in ("raw", "string", "char") and not keep_strings:
            quote = "'" if kind == "char" else '"'
            return quote + _blank(found[1:-1]) + quote
        return found

    return _LEXEME.sub(instead, text)


_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
_DEFINE = re.compile(r"^([ \t]*#[ \t]*define[ \t]+\w+(?:\([^)]*\))?)(.*)\Z", re.DOTALL)


def split_directives(stripped):
    """(the code without its directives, [(line, the replacement text of a macro)]) of a stripped text."""
    macros = []

    def instead(match):
        define = _DEFINE.match(match.group())
        if define:
            line = stripped.count("\n", 0, match.start()) + define.group(1).count("\n") + 1
            macros.append((line, define.group(2).replace("\\\n", " \n")))
        return _blank(match.group())

    return _DIRECTIVE.sub(instead, stripped), macros


class token:
    __slots__ = ("text", "line", "mate", "role")

    def __init__(self, text, line):
        self.text = text
        self.line = line
        self.mate = None  # the index of the matching bracket
        self.role = None  # for whoever reads the tokens

    def __repr__(self):
        return f"{self.text}:{self.line}"


_TOKEN = re.compile(
    r"\"\s*\"|'\s*'|(?:\d|\.\d)(?:'?\w|[eEpP][+-]|\.)*|[A-Za-z_]\w*|->\*?|::|&&|\|\||<=>|\S", re.DOTALL
)


def tokens(code, first_line=1):
    """The tokens of a stripped text; brackets know their mates, and attributes ([[...]]) are left out."""
    found, line, at = [], first_line, 0
    for match in _TOKEN.finditer(code):
        line += code.count("\n", at, match.start())
        at = match.start()
        text = match.group()
        found.append(token('""' if text[0] == '"' else "''" if text[0] == "'" else text, line))
    kept, skip_to = [], -1
    _mate(found)
    for index, one in enumerate(found):
        if index <= skip_to:
            continue
        if one.text == "[" and one.mate and found[index + 1].text == "[" and found[index + 1].mate == one.mate - 1:
            skip_to = one.mate
            continue
        kept.append(one)
    _mate(kept)
    return kept


_CLOSES = {")": "(", "]": "[", "}": "{"}


def _mate(row):
    open_ones = []
    for index, one in enumerate(row):
        one.mate = None
        if one.text in "([{":
            open_ones.append(index)
        elif one.text in _CLOSES:
            # A bracket that does not fit (as #if and #else can leave) closes up to its own kind, or nothing.
            for back in range(len(open_ones) - 1, -1, -1):
                if row[open_ones[back]].text == _CLOSES[one.text]:
                    row[open_ones[back]].mate, one.mate = index, open_ones[back]
                    del open_ones[back:]
                    break


def files(*folders):
    """The C++ files below the folders, in order; a folder that is not there has none."""
    found = []
    for folder in folders:
        for where, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if not name.startswith((".", "build")))
            found += [os.path.join(where, name) for name in sorted(names) if name.endswith(SOURCE_ENDINGS)]
    return found


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
