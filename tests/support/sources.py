"""Sources as phones, recorders, editors and television produce them, each with the times that its film must have.

Each source is made from small films whose frames show their numbers (see `media`).
"""

from __future__ import annotations

from fractions import Fraction

from functions.encoding.frame_rates import FILM
from tests.support.media import H264, Sound
from tests.support.source_makers import (
    CLOSED_GOPS,
    FRAMES,
    Piece,
    Source,
    beheaded,
    chained,
    copied,
    delayed,
    edited,
    filtered,
    misdated,
    recorded,
    resized,
    restated,
    small,
    tones,
    whole,
)

_WHOLE_TONES = tones(0, 1, 2, 3, 4, 5)
_LONG_GOPS = (*H264, "-g", "250")
_PORTRAIT = {"width": 54, "height": 96, "rotated": True}
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "24")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
PCM = Sound(codec="pcm_s16le")

SOURCES: dict[str, Source] = {
    "mp4 whose beginning an edit list cuts off": Source(
        copied("-ss", "2.5", film=small(video=_LONG_GOPS)),
        (Piece(Fraction(0), 60, 84),),
        Fraction(7, 2),
        tones(0.5, 1.5, 2.5),
    ),
    "mov whose beginning and end are cut off": Source(
        copied("-ss", "1.25", "-t", "3.5", film=small(video=(*_LONG_GOPS, "-bf", "0")), target="source.mov"),
        (Piece(Fraction(0), 30, 84),),
        Fraction(7, 2),
        tones(0.75, 1.75, 2.75),
    ),
    "mp4 whose picture begins 1.5 s after its sound": Source(
        delayed("v", "1.5", target="source.mp4"), whole(begins=Fraction(3, 2)), Fraction(15, 2), _WHOLE_TONES
    ),
    "mp4 whose sound begins 1.5 s after its picture": Source(
        delayed("a", "1.5", target="source.mp4"), whole(), Fraction(6), tones(1.5, 2.5, 3.5, 4.5, 5.5, 6.5)
    ),
    "mkv whose picture begins 1.5 s after its sound": Source(
        delayed("v", "1.5", target="source.mkv"), whole(begins=Fraction(3, 2)), Fraction(15, 2), _WHOLE_TONES
    ),
    "transport stream whose sound begins 1.5 s after its picture": Source(
        delayed("a", "1.5", target="source.ts"), whole(), Fraction(6), tones(1.5, 2.5, 3.5, 4.5, 5.5, 6.5)
    ),
    "mp4 with a hole of 2 s in its picture": Source(
        copied(after=("-bsf:v", "noise=drop='between(n,48,95)'")),
        (Piece(Fraction(0), 0, 48), Piece(Fraction(4), 96, 48)),
        Fraction(6),
        _WHOLE_TONES,
    ),
    "mkv with a hole of 2 s in its picture": Source(
        copied(target="source.mkv", after=("-bsf:v", "noise=drop='between(n,48,95)'")),
        (Piece(Fraction(0), 0, 48), Piece(Fraction(4), 96, 48)),
        Fraction(6),
        _WHOLE_TONES,
    ),
    "mp4 with a hole of 2 s in its sound": Source(
        copied(after=("-bsf:a", "noise=drop='between(n,90,187)'")), whole(), Fraction(6), tones(0, 1, 4, 5)
    ),
    "transport stream with a hole of 2 s in picture and sound": Source(
        copied(
            target="source.ts",
            after=("-bsf:v", "noise=drop='between(n,48,95)'", "-bsf:a", "noise=drop='between(n,90,187)'"),
        ),
        (Piece(Fraction(0), 0, 48), Piece(Fraction(4), 96, 48)),
        Fraction(6),
        tones(0, 1, 4, 5),
    ),
    "mp4 whose edit list shows two parts of its media": Source(
        edited(((Fraction(3), Fraction(3, 2)), (Fraction(1), Fraction(7, 4)))),
        (Piece(Fraction(0), 72, 36), Piece(Fraction(3, 2), 24, 42)),
        Fraction(13, 4),
        tones(0, 1, 1.5, 2.5),
    ),
    "film looped by copying, in mp4": Source(
        copied("-stream_loop", "1"), (*whole(), Piece(Fraction(6), 0, FRAMES)), Fraction(12), tones(*range(12))
    ),
    "film looped by copying, in mkv": Source(
        copied("-stream_loop", "1", target="source.mkv"),
        (*whole(), Piece(Fraction(6), 0, FRAMES)),
        Fraction(12),
        tones(*range(12)),
    ),
    "transport stream whose clock wraps": Source(
        chained(small(), target="source.ts", offsets_s=(95_440.7,)), whole(), Fraction(6), _WHOLE_TONES
    ),
    "transport stream whose clock jumps ahead by an hour": Source(
        chained(small(), small(), target="source.ts", offsets_s=(10, 3616)),
        (*whole(), Piece(Fraction(6), 0, FRAMES)),
        Fraction(12),
        tones(*range(12)),
    ),
    "two transport streams in one file, so that the clock jumps back": Source(
        chained(small(), small(), target="source.ts", offsets_s=(100, 10)),
        (*whole(), Piece(Fraction(6), 0, FRAMES)),
        Fraction(12),
        tones(*range(12)),
    ),
    "transport stream in which one picture states an impossible time": Source(
        misdated(small("film.ts"), 70), whole(), Fraction(6), _WHOLE_TONES
    ),
    "transport stream in which one picture states no time": Source(
        misdated(small("film.ts"), 70, states_time=False), whole(), Fraction(6), _WHOLE_TONES
    ),
    "mkv that states twice its duration": Source(restated(2), whole(), Fraction(6), _WHOLE_TONES),
    "mkv that states a tenth of its duration": Source(restated(Fraction(1, 10)), whole(), Fraction(6), _WHOLE_TONES),
    "mkv that was streamed, without duration and index": Source(
        copied(target="source.mkv", after=("-live", "1")), whole(), Fraction(6), _WHOLE_TONES
    ),
    "webm of a browser's recorder, without duration and index": Source(
        recorded("source.webm"), whole(), Fraction(6), _WHOLE_TONES, rate=None
    ),
    "phone clip whose frames are a few milliseconds early or late": Source(
        filtered(
            "setpts='PTS+360*sin(N*1.7)+360'",
            film=small(rate=Fraction(30), frames=180),
            target="source.mp4",
        ),
        whole(Fraction(30), 180),
        Fraction(6),
        _WHOLE_TONES,
        rate=None,
    ),
    "screen recording that shows a frame only when it changes": Source(
        filtered(
            "select='lt(mod(n,60),12)+eq(mod(n,60),40)+gte(n,354)'",
            film=small(rate=Fraction(60), frames=360),
            target="source.mp4",
        ),
        tuple(
            Piece(Fraction(second) + Fraction(first, 60), second * 60 + first, count, Fraction(60))
            for second in range(6)
            for first, count in ((0, 12), (40, 1), *(((54, 6),) if second == 5 else ()))
        ),
        Fraction(6),
        _WHOLE_TONES,
        rate=Fraction(60),
    ),
    "film that changes from 24 to 60 fps": Source(
        filtered(
            "select='not(mod(n,2))*not(mod(n,5))*lt(n,180)+gte(n,180)'",
            film=small(rate=Fraction(60), frames=360),
            target="source.mkv",
        ),
        (
            *(Piece(Fraction(number, 60), number, 1, Fraction(60)) for number in range(0, 180, 10)),
            Piece(Fraction(3), 180, 180, Fraction(60)),
        ),
        Fraction(6),
        _WHOLE_TONES,
        rate=Fraction(60),
    ),
    "slide show of one picture in a second": Source(
        filtered("select='not(mod(n,24))'", film=small(), target="source.mp4"),
        tuple(Piece(Fraction(second), second * 24, 1) for second in range(6)),
        Fraction(6),
        _WHOLE_TONES,
        rate=None,
    ),
    "quicktime clock of 600 ticks at 29.97 fps": Source(
        copied(
            film=small(rate=Fraction(30_000, 1001), frames=180),
            target="source.mov",
            after=("-video_track_timescale", "600"),
        ),
        whole(Fraction(30_000, 1001), 180),
        Fraction(180 * 1001, 30_000),
        tones(0, 1, 2, 3, 4, 5, 6),
        rate=None,
    ),
    "120 fps": Source(
        filtered("null", film=small(rate=Fraction(120), frames=468), target="source.mp4"),
        whole(Fraction(120), 468),
        Fraction(39, 10),
        tones(0, 1, 2, 3),
        rate=Fraction(60),
    ),
    "12 fps": Source(
        copied(film=small(rate=Fraction(12), frames=72)),
        whole(Fraction(12), 72),
        Fraction(6),
        _WHOLE_TONES,
        Fraction(12),
    ),
    "recording whose size changes": Source(
        resized("source.mkv"), (*whole(), Piece(Fraction(6), 0, FRAMES)), Fraction(12), tones(*range(12))
    ),
    "transport stream whose size changes": Source(
        chained(
            small(),
            small("other.mp4", width=160, height=90),
            target="source.ts",
            offsets_s=(10, 16),
        ),
        (*whole(), Piece(Fraction(6), 0, FRAMES)),
        Fraction(12),
        tones(*range(12)),
    ),
    "transport stream that begins between two key frames": Source(
        beheaded("source.ts"), (Piece(Fraction(0), 24, 120),), Fraction(5), tones(0, 1, 2, 3, 4)
    ),
    "television that is interlaced and says so": Source(
        copied(
            film=small(
                rate=Fraction(25), frames=150, height=60, interlaced=True, video=(*CLOSED_GOPS, "-flags", "+ildct+ilme")
            )
        ),
        whole(Fraction(25), 150),
        Fraction(6),
        _WHOLE_TONES,
        rate=Fraction(25),
        deinterlaced=True,
    ),
    "film on NTSC television, telecined": Source(
        filtered(
            "telecine=pattern=23,setfield=tff",
            film=small("film.mkv", rate=FILM, frames=216, width=192, height=120),
            target="source.mp4",
            video=(*CLOSED_GOPS, "-flags", "+ildct+ilme"),
        ),
        whole(FILM, 216),
        216 / FILM,
        tones(*range(10)),
        rate=FILM,
    ),
    "film on NTSC television, telecined, in an MPEG-2 transport stream": Source(
        filtered(
            "telecine=pattern=23,setfield=tff",
            film=small("film.mkv", rate=FILM, frames=216, width=192, height=120),
            target="source.ts",
            video=("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "15", "-flags", "+ildct+ilme"),
            clock="1001/30000",
        ),
        whole(FILM, 216),
        216 / FILM,
        tones(*range(10)),
        rate=FILM,
    ),
    "film on a DVD, whose frames are shown for two and for three fields": Source(
        filtered(
            "setpts='floor((N*5+1)/2)*1501.5'", film=small("film.mkv", rate=FILM, frames=144), target="source.mkv"
        ),
        whole(FILM, 144),
        144 / FILM,
        tones(*range(7)),
        rate=FILM,
    ),
    **{
        f"transport stream whose {codec} sound changes from {before} to {after} channels": Source(
            chained(
                small("one.ts", sounds=(Sound(codec=codec, channels=before),)),
                small("other.ts", sounds=(Sound(codec=codec, channels=after),)),
                target="source.ts",
                offsets_s=(10, 16),
            ),
            (*whole(), Piece(Fraction(6), 0, FRAMES)),
            Fraction(12),
            tones(*range(12)),
        )
        for codec, before, after in (("ac3", 2, 6), ("ac3", 6, 2), ("mp2", 2, 1), ("aac", 1, 2))
    },
    **{
        f"{name} with a hole of 2 s in picture and sound": Source(
            copied(
                film=small(**film),
                target=f"source.{name}",
                after=("-bsf:v", "noise=drop='between(n,48,95)'", "-bsf:a", f"noise=drop='{sound}'"),
            ),
            (Piece(Fraction(0), 0, 48), Piece(Fraction(4), 96, 48)),
            Fraction(6),
            tones(0, 1, 4, 5),
        )
        for name, film, sound in (
            ("flv", {}, "between(n,90,187)"),
            ("mkv", {}, "between(n,90,187)"),
            ("mov", {"sounds": (Sound(codec="ac3"),)}, "between(n,61,124)"),
            ("webm", {"name": "film.webm", "video": VP8, "sounds": (Sound(codec="libopus"),)}, "between(n,97,199)"),
        )
    },
    **{
        f"{name} whose beginning an edit list cuts off": Source(
            copied("-ss", "2.5", film=small(video=codec, **film), target=target),
            (Piece(Fraction(0), 60, 84),),
            Fraction(7, 2),
            tones(0.5, 1.5, 2.5),
        )
        for name, codec, film, target in (
            ("hevc", HEVC, {}, "source.mp4"),
            ("h264 without reordered frames", (*_LONG_GOPS, "-bf", "0"), {}, "source.mp4"),
            ("mov with uncompressed sound", _LONG_GOPS, {"name": "film.mov", "sounds": (PCM,)}, "source.mov"),
            ("portrait turned by its container", _LONG_GOPS, _PORTRAIT, "source.mov"),
        )
    },
    "mp4 with negative composition offsets": Source(
        copied(after=("-movflags", "+negative_cts_offsets")), whole(), Fraction(6), _WHOLE_TONES
    ),
    "mp4 that lasts shorter than its sound": Source(
        copied(after=("-bsf:v", "noise=drop='gte(n,96)'")), whole(frames=96), Fraction(4), _WHOLE_TONES
    ),
    "mkv whose sound begins 0.3 s before its picture": Source(
        delayed("v", "0.3", target="source.mkv"), whole(), Fraction(6), tones(0.7, 1.7, 2.7, 3.7, 4.7)
    ),
    "transport stream of a camera at 50 fps": Source(
        copied(film=small(rate=Fraction(50), frames=300, sounds=(Sound(codec="ac3"),)), target="source.ts"),
        whole(Fraction(50), 300),
        Fraction(6),
        _WHOLE_TONES,
        rate=Fraction(50),
    ),
    "recording in webm whose size changes": Source(
        resized("source.webm", video=VP8, sounds=(Sound(codec="libopus"),)),
        (*whole(), Piece(Fraction(6), 0, FRAMES)),
        Fraction(12),
        tones(*range(12)),
    ),
    "interlaced recording whose size changes": Source(
        resized(
            "source.mkv", rate=Fraction(25), frames=150, interlaced=True, video=(*CLOSED_GOPS, "-flags", "+ildct+ilme")
        ),
        (*whole(Fraction(25), 150), Piece(Fraction(6), 0, 150, Fraction(25))),
        Fraction(12),
        tones(*range(12)),
        rate=Fraction(25),
        deinterlaced=True,
    ),
    "phone clip at 29.97 fps that loses every fiftieth frame": Source(
        filtered("select='mod(n,50)-20'", film=small(rate=Fraction(30_000, 1001), frames=180), target="source.mov"),
        whole(Fraction(30_000, 1001), 180),
        Fraction(180 * 1001, 30_000),
        tones(0, 1, 2, 3, 4, 5, 6),
        rate=Fraction(30_000, 1001),
    ),
}
"""Sources without damage, by description."""
