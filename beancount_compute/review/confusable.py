"""Names that look alike: by case, by blanks, by letters of other scripts.

    keys("ann@x.io") & keys("Ann @x.io")  ->  not empty: the two look alike

The method is that of Unicode's technical standard 39: each letter is taken for the one that it
looks like, after compatibility forms (NFKC) are gone. The table holds what can stand for letters
and digits of names in Latin script; case is folded before it and behind it, because a capital may
look like a letter that its small form does not look like.
"""

from __future__ import annotations

from unicodedata import category, normalize

# What looks like the letters on the left: Greek, Cyrillic, Armenian, Cherokee, Latin's own.
_LOOKS_LIKE = {
    "A": "ΑАᎪ",
    "B": "ΒВᏴ",
    "C": "СϹᏟ",
    "E": "ΕЕᎬ",
    "F": "Ϝ",
    "G": "Ԍ",
    "H": "ΗНᎻ",
    "J": "ЈᎫ",
    "K": "ΚКᏦ",
    "M": "ΜМᎷ",
    "N": "Ν",
    "O": "ΟОՕ0",
    "P": "ΡРᏢ",
    "S": "ЅՏᏚ",
    "T": "ΤТᎢ",
    "U": "Ս",
    "V": "ѴᏙ",
    "W": "ԜᎳ",
    "X": "ΧХ",
    "Y": "ΥҮ",
    "Z": "ΖᏃ",
    "a": "αаɑ",
    "c": "сϲ",
    "d": "ԁ",
    "e": "еҽ",
    "f": "ſ",
    "g": "ɡց",
    "h": "һհ",
    "i": "ιіıɩ",
    "j": "јϳ",
    "k": "κк",
    "l": "1I|ΙІӀӏᏞ",
    "m": "м",
    "n": "ո",
    "o": "οоօσ",
    "p": "ρр",
    "q": "ԛզ",
    "r": "г",
    "s": "ѕ",
    "t": "τт",
    "u": "υսʋ",
    "v": "νѵ",
    "w": "ԝա",
    "x": "χх",
    "y": "уγү",
    "-": "‐‑‒–—―−⁃",
    "'": "’‘ʼ`´′",
}
_LETTERS = {ord(other): letter for letter, others in _LOOKS_LIKE.items() for other in others}
_INVISIBLE = frozenset(["Cf", "Cc", "Zs", "Zl", "Zp", "Mn"])  # blanks too


def keys(name: str) -> frozenset[str]:
    """What names that look alike have in common at least one of."""
    if name.isascii():
        plain = "".join(name.split())
    else:
        plain = "".join(each for each in normalize("NFKC", name) if not _unseen(each))
    return frozenset([plain.casefold(), _skeleton(plain).casefold(), _skeleton(plain.casefold())])


def _unseen(letter: str) -> bool:
    return category(letter) in _INVISIBLE and not "\u0300" <= letter <= "\u036f"


def _skeleton(text: str) -> str:
    return text.translate(_LETTERS).replace("m", "rn").replace("w", "vv")
