"""card_film CARD FOLDER: the pictures a camera takes of a screen that shows this card.

Each code stays for three pictures of 1280 x 720, as in front of a hand-held laptop.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

PICTURES_EACH = 3


def main(card: str, folder: str) -> None:
    """Writes them."""
    good, codes = cv2.imreadanimation(card)
    if not good:
        raise SystemExit(f"{card}: not an animated picture")
    Path(folder).mkdir()
    for number, code in enumerate(codes.frames):
        picture = np.full((720, 1280), 110, np.uint8)
        picture[40:680, 320:960] = cv2.resize(code, (640, 640), interpolation=cv2.INTER_AREA)
        for again in range(PICTURES_EACH):
            cv2.imwrite(f"{folder}/{number:03d}-{again}.png", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
