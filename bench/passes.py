"""How large our pass is beside the same pass as JWS, and how much sooner the gate reads it.

    python bench/passes.py [--trials N] [--seed N]

Both are printed at the same size and seen from further and further away: a side of so many pixels, turned
and placed at random, out of focus by one pixel, with the noise of a dim room. One frame each, read by the
gate's own ladder. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cv2
import numpy as np
import segno

from device.credential.signature import PublicKey
from device.credential.signing import Grant, SigningKey, cwt_pass, jws_pass, with_proof
from device.decode.ladder import Ladder
from device.decode.steps import first_step, further_steps
from device.decode.zxing import Zxing
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.decode.finding import Luma

SIDES_PX = (80, 100, 120, 140, 160, 200, 240, 280)
BUDGET_MS = 500.0  # generous: the question is what can be read, not how fast
FOCUS_PX = 1.0
NOISE_LEVELS = 6.0
PAPER, INK = 170, 60
ENDS, BEGINS = datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
GRANTS = {
    "smallest": Grant(subject="202600417", expires=ENDS),
    "usual": Grant(
        subject="202600417",
        issuer="office",
        expires=ENDS,
        not_before=BEGINS,
        audience=("gate-a", "gate-b"),
        number=bytes(8),
    ),
}
FORMS: dict[str, Callable[[Grant, SigningKey], str]] = {"cwt": cwt_pass, "jws": jws_pass}


def main() -> int:
    """Draws, degrades and reads; prints a table and a line of JSON."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--trials", type=int, default=30, metavar="N", help="frames a size (default 30)")
    options.add_argument("--seed", type=int, default=1, metavar="N")
    args = options.parse_args()
    engines = ("zxing", "zbar")
    ladder = Ladder(
        first=first_step(engines),
        further=further_steps(engines),
        reader=Zxing(thorough=False, unread=False),
        clock=SystemClock(),
    )
    key = SigningKey(SigningKey.generate())
    print(f"{'pass':16} {'characters':>10} {'version':>7} {'modules':>7}   share read at a side of")
    print(f"{'':44} {''.join(f'{side:>7}' for side in SIDES_PX)} px")
    summary = {}
    for name, grant in GRANTS.items():
        for form, text in shown(name, grant, key):
            code = segno.make_qr(text, error="m", boost_error=False)
            modules = 17 + 4 * int(code.version)
            random = np.random.default_rng(args.seed)
            shares = {}
            for side in SIDES_PX:
                frames = (seen(code, side, random) for _ in range(args.trials))
                shares[side] = sum(reads(ladder, frame, text) for frame in frames) / args.trials
            summary[f"{name} {form}"] = {
                "characters": len(text),
                "version": int(code.version),
                "modules": modules,
                "share_read": shares,
            }
            row = "".join(f"{share:7.0%}" for share in shares.values())
            print(f"{name + ' ' + form:16} {len(text):10} {code.version:7} {modules:7}   {row}")
    print(json.dumps(summary))
    return 0


def shown(name: str, grant: Grant, key: SigningKey) -> Iterator[tuple[str, str]]:
    """The pass in both forms; the usual one also as its holder's phone shows it, with a proof."""
    for form, issue in FORMS.items():
        yield form, issue(grant, key)
    if name == "usual":
        bound = cwt_pass(replace(grant, holder=PublicKey(key.spki)), key)
        yield "cwt bound", with_proof(bound, key, BEGINS)


def seen(code: segno.QRCode, side: int, random: np.random.Generator) -> Luma:
    """The code as a camera sees it, `side` pixels large without its quiet zone."""
    matrix = np.array([list(row) for row in code.matrix_iter(scale=8, border=4)], np.float32)
    scale = side / (8 * (17 + 4 * int(code.version)))
    middle = matrix.shape[0] / 2
    turn = cv2.getRotationMatrix2D((middle, middle), random.uniform(-25, 25), scale)
    turn[:, 2] += (random.uniform(400, 880) - middle, random.uniform(260, 460) - middle)
    # Away from the code all is paper; averaging over the area, as a sensor does, comes before the warp.
    soft = cv2.GaussianBlur(matrix, (0, 0), max(0.3, 0.4 / scale))
    ink = cv2.warpAffine(soft, turn, (1280, 720), flags=cv2.INTER_LINEAR)
    picture = cv2.GaussianBlur(PAPER - (PAPER - INK) * ink, (0, 0), FOCUS_PX)
    noisy = picture + random.normal(0, NOISE_LEVELS, picture.shape)
    frame: Luma = np.clip(noisy, 0, 255).astype(np.uint8)
    return frame


def reads(ladder: Ladder, frame: Luma, text: str) -> bool:
    """Whether the gate reads exactly this text from the one frame."""
    ladder.forget()
    symbols = ladder.look(frame, budget_ms=BUDGET_MS).symbols
    return [symbol.content for symbol in symbols] == [text.encode()]


if __name__ == "__main__":
    sys.exit(main())
