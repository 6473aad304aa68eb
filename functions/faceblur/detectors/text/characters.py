"""What the characters of a line tell: whether it may be a number plate, whatever has read them.

A line counts as no plate only if it was surely read, and if no plate says such a thing. Nearly all plates have digits.
Those that a driver chose may be a single word, so a word of few capitals may be one. docs/text.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

# A mean probability of the characters from which they count as surely read. Drawn plates in alphabets that the network
# does not know were read as words of small letters, with at most 0.91.
SURE = 0.92
# A line has no digit if at no place the network gives all digits together this probability.
NO_DIGIT = 0.05
# Fewer letters may be a part of a plate: the rest is hidden by something, or stands in another line.
FEWEST_LETTERS = 3
# The most letters of a plate without digits, in some states of the USA:
# https://en.wikipedia.org/wiki/United_States_license_plate_designs_and_serial_formats
MOST_LETTERS = 8
# The most letters and digits of a plate: India's ten, with IND beside them.
MOST_CHARACTERS = 13
# Small letters of which the capitals have another shape. A plate has capitals; one may be taken for a small letter.
CLEARLY_SMALL = frozenset("abdefghnqrt")
FEWEST_SMALL = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says, how sure that is (0…1), and how likely one of its characters is a digit (0…1)."""

    text: str
    certainty: float
    digit: float


def is_no_plate(reading: Reading) -> bool:
    """Whether a line surely says what no plate says: too much, or words without a digit."""
    if reading.certainty < SURE:
        return False
    return sum(map(str.isalnum, reading.text)) > MOST_CHARACTERS or (reading.digit < NO_DIGIT and is_word(reading.text))


def is_word(text: str) -> bool:
    """Whether the letters of a text without digits are those of no plate: many, small ones, or none of the Latin ones.

    Plates whose letters are not Latin have digits.
    """
    letters = [each for each in text if each.isalpha()]
    return len(letters) >= FEWEST_LETTERS and (
        len(letters) > MOST_LETTERS
        or sum(each in CLEARLY_SMALL for each in letters) >= FEWEST_SMALL
        or not any(map(str.isascii, letters))
    )
