"""Who comes to the gate: people drawn at random, the same for the same seed.

Where a range is not from a source named in `hand.py` it is assumed; `ordinary` is meant to be a gate set up
as the how-to says (two lamps, 1/500 s), `difficult` one without lamps at the default 1/200 s, with old
hands, worn cards and dim screens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.lane.hand import (
    DRIFT_HZ,
    FOCAL_PX,
    GIVE_UP_S,
    HEIGHT,
    ID_CODE_MM,
    MOVE_S,
    PRINT_CODE_MM,
    SCREEN_CODE_MM,
    TREMOR_HZ,
    WIDTH,
    Condition,
    Lamp,
    Look,
    Manner,
    Person,
    Stop,
    Thing,
    Trouble,
    symbol,
)

if TYPE_CHECKING:
    from bench.lane.hand import Vector

    Range = tuple[float, float]
    Pose = tuple[float, float, float, float, float, float]

CODE_MM = {Thing.CARD: ID_CODE_MM, Thing.PAPER: PRINT_CODE_MM, Thing.PHONE: SCREEN_CODE_MM}
THINGS = tuple(Thing)

REACH_MM = {Thing.CARD: 70.0, Thing.PAPER: 95.0, Thing.PHONE: 95.0}
"""From the code's middle to the far edge of the thing: so far outside the picture the hand begins."""

CYCLE_HELP_S = (1.1, 1.6)
"""Assumed: without an answer for so long, people tilt and shift what they hold."""

SECOND_DETOUR = 0.3
"""Assumed: share of the unprepared who try a second wrong place."""

NAMES = ("Nguyễn Văn Mẫu", "Trần Thị Bích Thử", "Lê Hoàng Giả Định", "Phạm Quốc Ví Dụ", "Vũ Thị Hồng Mẫu")
PLACES = (
    "Thôn 1, Xã Giả Định, Tỉnh Mẫu",
    "12 Ngõ 34, Phường Thử Nghiệm, Tỉnh Mẫu",
    "Tổ 5, Phường Ví Dụ, Tỉnh Mẫu",
)
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@dataclass(frozen=True, slots=True)
class Ranges:
    """What differs between conditions.

    Attributes:
        distance_mm: of the code from the lens, for each thing.
        tilt, roll: radians to either side.
        tremor_mm: amplitude of each of the two tremor waves across the picture; the hand-held
            accelerometer studies have 0.1-0.3 mm in the young, more with age and with tiredness.
        drift_mm: of the slow waves.
        exposure_s, gain: see `Look`.
    """

    distance_mm: dict[Thing, Range]
    tilt: float
    roll: float
    tremor_mm: Range
    drift_mm: Range
    exposure_s: float
    gain: Range


RANGES = {
    # Distances: the ID card where it has 2 px a module and is in focus, larger codes where they are sharp.
    Condition.ORDINARY: Ranges(
        {Thing.CARD: (182, 215), Thing.PAPER: (185, 270), Thing.PHONE: (180, 260)},
        tilt=math.radians(14),
        roll=math.radians(15),
        tremor_mm=(0.05, 0.2),
        drift_mm=(1.0, 3.0),
        exposure_s=1 / 500,
        gain=(2.0, 5.0),
    ),
    Condition.DIFFICULT: Ranges(
        {Thing.CARD: (165, 240), Thing.PAPER: (130, 320), Thing.PHONE: (130, 310)},
        tilt=math.radians(30),
        roll=math.radians(50),
        tremor_mm=(0.15, 0.45),
        drift_mm=(2.0, 6.0),
        exposure_s=1 / 200,
        gain=(8.0, 24.0),
    ),
}


def person(seed: int, manner: Manner, condition: Condition, thing: Thing) -> Person:
    """Somebody who comes to the gate; the same arguments give the same person."""
    order = (seed, tuple(Manner).index(manner), tuple(Condition).index(condition), THINGS.index(thing))
    rng = np.random.default_rng(order)
    ranges = RANGES[condition]
    text = payload(thing, rng)
    stops, detour = _way(rng, ranges, thing, manner)
    return Person(
        thing=thing,
        text=text,
        modules=symbol(text),
        code_mm=CODE_MM[thing],
        stops=stops,
        sway=_sway(rng, ranges),
        look=_look(rng, ranges, thing, condition),
        detour=detour,
        seed=seed,
    )


def held(seed: int, trouble: Trouble) -> Person:
    """A code held in the middle of the picture by an ordinary hand, with one trouble: hard, not absurd."""
    thing = {Trouble.SMALL: Thing.CARD, Trouble.SCREEN: Thing.PHONE}.get(trouble, THINGS[seed % len(THINGS)])
    rng = np.random.default_rng((seed, tuple(Trouble).index(trouble), THINGS.index(thing), 7))
    still = person(seed, Manner.PREPARED, Condition.ORDINARY, thing)
    _, _, z, roll, pitch, yaw = still.stops[1].pose
    x, y = rng.uniform(-8, 8, 2)
    sway = still.sway
    if trouble is Trouble.SMALL:
        z = FOCAL_PX * still.module_mm / rng.uniform(1.45, 1.9)
    elif trouble is Trouble.DEFOCUS:
        z = rng.uniform(115, 135)
    elif trouble is Trouble.TILT:
        yaw = math.copysign(math.radians(rng.uniform(40, 55)), yaw)
    elif trouble is Trouble.SHAKE:
        sway = sway * np.array([1, rng.uniform(4, 7), 1, 1])
    pose = (float(x), float(y), z, roll, pitch, yaw)
    look = _spoilt(rng, still.look, trouble, pose)
    return replace(still, stops=(Stop(-2, -1, pose),), sway=sway, look=look, detour=(trouble,))


def _spoilt(rng: np.random.Generator, look: Look, trouble: Trouble, pose: Pose) -> Look:
    """What the trouble does to light and print."""
    match trouble:
        case Trouble.DARK:
            look = replace(look, gain=rng.uniform(150, 350))
        case Trouble.GLARE:
            look = replace(look, lamp=_mirrored(rng, pose))
        case Trouble.SCREEN:
            look = replace(look, white=rng.uniform(0.05, 0.12), black=0.004, moire=0.3, flicker=0.45)
        case Trouble.WORN:
            look = replace(look, worn=rng.uniform(0.02, 0.045))
        case Trouble.FADED:
            look = replace(look, black=look.white * rng.uniform(0.72, 0.85))
        case Trouble.SHADOW:
            look = replace(look, shadow=rng.uniform(0.08, 0.2))
        case _:
            pass
    return look


def payload(thing: Thing, rng: np.random.Generator) -> bytes:
    """An invented text of the kind the thing carries: an ID card's, a pass's or a web address."""
    if thing is Thing.CARD or (thing is Thing.PAPER and rng.random() < 0.3):
        number, old = ("".join(map(str, rng.integers(0, 10, n))) for n in (11, 9))
        born = f"{rng.integers(1, 29):02}{rng.integers(1, 13):02}{rng.integers(1955, 2006)}"
        issued = f"{rng.integers(1, 29):02}{rng.integers(1, 13):02}{rng.integers(2021, 2025)}"
        sex = ("Nam", "Nữ")[rng.integers(2)]
        fields = (f"0{number}", old, NAMES[rng.integers(5)], born, sex, PLACES[rng.integers(3)], issued)
        return "|".join(fields).encode()
    if rng.random() < 0.5:
        return ("https://pass.example.org/v/" + rng.bytes(16).hex()).encode()
    letters = rng.integers(0, len(BASE45), int(rng.integers(178, 234)))
    return "".join(BASE45[i] for i in letters).encode()


def _way(
    rng: np.random.Generator, ranges: Ranges, thing: Thing, manner: Manner
) -> tuple[tuple[Stop, ...], tuple[str, ...]]:
    """Where the hand goes until the person gives up, and the wrong places among it."""
    poses, detour = [], []
    if manner is Manner.UNPREPARED:
        for _ in range(2 if rng.random() < SECOND_DETOUR else 1):
            word = str(rng.choice(["near", "far", "aside", "turned away"]))
            poses.append(_wrong(rng, ranges, thing, word))
            detour.append(word)
    wrong = len(poses)
    poses.append(_place(rng, ranges, thing))
    now = 0.0
    stops = [Stop(-2, -1, _outside(rng, poses[0], thing))]
    for number in range(len(poses) + 6):
        pose = poses[number] if number < len(poses) else _shifted(rng, stops[-1].pose)
        move = rng.uniform(*MOVE_S) if number <= wrong else 0.4
        stops.append(Stop(now, now + move, pose))
        now += move + (rng.uniform(0.4, 1.0) if number < wrong else rng.uniform(*CYCLE_HELP_S))
        if now > GIVE_UP_S:
            break
    return tuple(stops), tuple(detour)


def _place(rng: np.random.Generator, ranges: Ranges, thing: Thing) -> Pose:
    """Where the code belongs: whole in the picture, at a distance it can be read from."""
    z = rng.uniform(*ranges.distance_mm[thing])
    half = CODE_MM[thing] * 0.72  # its half diagonal
    room_x, room_y = WIDTH / 2 / FOCAL_PX * z - half, HEIGHT / 2 / FOCAL_PX * z - half
    x, y = rng.uniform(-0.6, 0.6, 2) * (max(room_x, 0), max(room_y, 0))
    return (x, y, z, *rng.uniform(-1, 1, 3) * (ranges.roll, ranges.tilt, ranges.tilt))


def _wrong(rng: np.random.Generator, ranges: Ranges, thing: Thing, word: str) -> Pose:
    """A place where few codes can be read."""
    x, y, z, roll, pitch, yaw = _place(rng, ranges, thing)
    match word:
        case "near":
            z = rng.uniform(70, 100)
        case "far":
            z = rng.uniform(330, 450)
        case "aside":
            x = rng.choice([-1, 1]) * (WIDTH / 2 / FOCAL_PX * z + rng.uniform(-0.3, 0.3) * CODE_MM[thing])
        case _:
            yaw = rng.choice([-1, 1]) * math.radians(rng.uniform(52, 65))
    return (float(x), y, float(z), roll, pitch, float(yaw))


def _outside(rng: np.random.Generator, pose: Pose, thing: Thing) -> Pose:
    """Just outside the picture on one side: a hand comes from below more often than from the sides."""
    x, y, z, roll, pitch, yaw = pose
    across, down = ((0, 1), (0, 1), (-1, 0), (1, 0))[rng.integers(4)]
    z *= 1.08  # the arm stretches a little on the way
    if down:
        y = HEIGHT / 2 / FOCAL_PX * z + REACH_MM[thing]
    else:
        x = across * (WIDTH / 2 / FOCAL_PX * z + REACH_MM[thing])
    return (x, y, z, roll + rng.uniform(-0.3, 0.3), pitch + rng.uniform(-0.3, 0.3), yaw)


def _shifted(rng: np.random.Generator, pose: Pose) -> Pose:
    """What people do when nothing happens: a little nearer or farther, a little flatter."""
    x, y, z, roll, pitch, yaw = pose
    dx, dy, dz = rng.uniform(-1, 1, 3) * (8, 5, 22)
    return (x + dx, y + dy, z + dz, roll + rng.uniform(-0.1, 0.1), pitch * 0.6, yaw * 0.6)


def _sway(rng: np.random.Generator, ranges: Ranges) -> Vector:
    """Tremor and drift: two waves each on the three ways, slow ones on the three turns."""
    waves = []
    for axis in (0, 1, 2):
        for _ in range(2):
            waves.append((axis, rng.uniform(*ranges.tremor_mm), rng.uniform(*TREMOR_HZ)))
            waves.append((axis, rng.uniform(*ranges.drift_mm), rng.uniform(*DRIFT_HZ)))
    for axis in (3, 4, 5):
        scale = ranges.drift_mm[1]  # a hand that wanders also turns
        waves.append((axis, math.radians(rng.uniform(0.3, 1.0) * scale), rng.uniform(0.5, 1.5)))
        waves.append((axis, math.radians(rng.uniform(0.02, 0.08) * scale), rng.uniform(*TREMOR_HZ)))
    return np.array([(*wave, rng.uniform(0, 2 * math.pi)) for wave in waves])


def _look(rng: np.random.Generator, ranges: Ranges, thing: Thing, condition: Condition) -> Look:
    difficult = condition is Condition.DIFFICULT
    look = Look(exposure_s=ranges.exposure_s, gain=rng.uniform(*ranges.gain))
    if thing is not Thing.PAPER or rng.random() < 0.3:  # a third of the sheets are laminated
        look = replace(look, lamp=_lamp(rng, difficult=difficult))
    if thing is Thing.PHONE:
        # 80-500 cd/m2 beside paper under 400 lx, which has about 100.
        white = rng.uniform(0.08, 0.35) if difficult and rng.random() < 0.6 else rng.uniform(0.6, 1.5)
        dim = difficult and white < 0.4
        moire, flicker = rng.uniform(0.05, 0.2), rng.uniform(0.3, 0.6)
        return replace(look, white=white, black=0.012, moire=moire, flicker=flicker if dim else 0.0)
    if not difficult:
        return replace(look, white=rng.uniform(0.85, 1.0), black=rng.uniform(0.05, 0.1))
    return replace(
        look,
        white=rng.uniform(0.7, 0.95),
        black=rng.uniform(0.08, 0.28),
        worn=rng.uniform(0.0, 0.025),
        shadow=rng.uniform(0.2, 0.5) if rng.random() < 0.3 else 1.0,
    )


def _lamp(rng: np.random.Generator, *, difficult: bool) -> Lamp:
    """Diffuse lamps 30-45 degrees off the axis, or a bare one overhead that the hand's wobble mirrors."""
    if not difficult:
        side = rng.choice([-1, 1])
        return Lamp(side * math.radians(rng.uniform(30, 45)), rng.uniform(-0.1, 0.1), math.radians(4), 0.8)
    across, down = rng.uniform(-0.15, 0.15), rng.uniform(-0.7, -0.2)
    return Lamp(across, down, math.radians(rng.uniform(0.4, 1.0)), 3.0)


def _mirrored(rng: np.random.Generator, pose: Pose) -> Lamp:
    """A lamp that stands where this pose mirrors it onto the code, a little off its middle."""
    x, y, z, _, pitch, yaw = pose
    across = x / z - 2 * yaw + rng.uniform(-0.012, 0.012)
    down = y / z + 2 * pitch + rng.uniform(-0.012, 0.012)
    return Lamp(across, down, math.radians(rng.uniform(0.35, 0.6)), 3.0)
