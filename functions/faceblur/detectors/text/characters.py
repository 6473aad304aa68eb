"""What the characters of a line tell: whether it may be a number plate, whatever has read them.

A line counts as no plate only if it was surely read, and if no plate says such a thing. Nearly all plates have digits.
Those that a driver chose may be a single word, so a word of few capitals may be one. A line may join a plate with the
words beside it, so it is no plate only if none of its words is one. docs/text.md has the figures.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# A line has no digit if the probabilities of all digits add up to less than this at each place of a character.
NO_DIGIT = 0.05
# Fewer letters may be a part of a plate: the rest is hidden by something, or stands in another line.
FEWEST_LETTERS = 3
# Plates with letters that are not Latin have digits, but up to three letters may stand in a line of their own, as on
# plates of Egypt and Saudi Arabia: https://en.wikipedia.org/wiki/Vehicle_registration_plates_of_Egypt
MOST_LETTERS_NOT_LATIN = 3
# The most letters of a plate without digits that we know, in some states of the USA:
# https://en.wikipedia.org/wiki/United_States_license_plate_designs_and_serial_formats
MOST_LETTERS = 8
# More digits without a letter are no plate, but the time under a photo.
MOST_DIGITS = 10
# Small letters of which the capitals have another shape. A plate has capitals; one may be taken for a small letter.
CLEARLY_SMALL = frozenset("abdefghnqrt")
FEWEST_SMALL = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says, how sure that is (0…1), and how likely one of its characters is a digit (0…1)."""

    text: str
    certainty: float
    digit: float


def is_no_plate(reading: Reading, sure: float) -> bool:
    """Whether a line surely says what no plate says: words without a digit, or many digits without a letter.

    `sure` is the certainty from which it counts as surely read. It depends on what has read the line.
    """
    if reading.certainty < sure:
        return False
    if reading.digit < NO_DIGIT:
        words = [word for word in reading.text.split() if any(map(str.isalpha, word))]
        return bool(words) and all(map(is_word, words))
    return not any(map(str.isalpha, reading.text)) and sum(map(str.isdigit, reading.text)) > MOST_DIGITS


def is_word(text: str) -> bool:
    """Whether the letters of a text without digits are those of no plate: many, small ones, or some that are not Latin.

    Signs beside the letters do not count.
    """
    letters = [each for each in text if each.isalpha()]
    if not any(map(_is_latin, letters)):
        return len(letters) > MOST_LETTERS_NOT_LATIN
    small = sum(each in CLEARLY_SMALL for each in letters)
    return len(letters) >= FEWEST_LETTERS and (len(letters) > MOST_LETTERS or small >= FEWEST_SMALL)


def _is_latin(letter: str) -> bool:
    return "LATIN" in unicodedata.name(letter, "")
