"""The films of the test matrix: every kind of source that people upload, and the expected result of each."""

from __future__ import annotations

from fractions import Fraction

from tests.support.media import H264, Film, Sound

FASTSTART = ("-movflags", "+faststart")
FRAGMENTED = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof+delay_moov")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-pix_fmt", "yuv420p")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "15")
DNXHD = ("-c:v", "dnxhd", "-b:v", "60M", "-pix_fmt", "yuv422p")
OPEN_GROUPS = (*H264, "-g", "48", "-x264-params", "open-gop=1")
INTERLACED = (*H264, "-flags", "+ildct+ilme", "-x264-params", "tff=1")
PCM = Sound(codec="pcm_s16le")
MP3 = Sound(codec="libmp3lame")
MP2 = Sound(codec="mp2")
OPUS = Sound(codec="libopus")

FILMS: dict[str, Film] = {
    "24 fps, mp4 with its index at the front": Film(mux=FASTSTART),
    "25 fps, mp4 with its index at the end": Film(rate=Fraction(25), frames=333),
    "television, 30000/1001 fps": Film(rate=Fraction(30_000, 1001), frames=391),
    "film on television, 24000/1001 fps in mkv": Film("film.mkv", rate=Fraction(24_000, 1001), frames=317),
    "60 fps": Film(rate=Fraction(60), frames=790),
    "59.94 fps in mkv, whose clock counts milliseconds": Film("film.mkv", rate=Fraction(60_000, 1001), frames=790),
    "variable rate: every sixth frame of 30 fps left out": Film(
        rate=Fraction(30), frames=601, keep=(6, (0, 1, 2, 4, 5))
    ),
    "variable rate in mkv: a third of 25 fps left out": Film(
        "film.mkv", rate=Fraction(25), frames=330, keep=(3, (0, 1))
    ),
    "no sound": Film(sounds=()),
    "silent sound track": Film(sounds=(Sound(silent=True),)),
    "mono": Film(sounds=(Sound(channels=1),)),
    "5.1": Film(sounds=(Sound(channels=6),)),
    "44.1 kHz": Film(sounds=(Sound(sample_rate=44_100),)),
    "two languages and two subtitle tracks in mkv": Film(
        "film.mkv", sounds=(Sound(language="eng"), Sound(440, language="ger")), subtitles=("eng", "fre")
    ),
    "two languages and subtitles in mp4": Film(
        sounds=(Sound(language="spa"), Sound(440, language="por", channels=1)), subtitles=("spa",)
    ),
    "odd size": Film(width=641, height=361, video=MPEG4),
    "tiny and odd": Film(width=99, height=75, video=MPEG4),
    "portrait": Film(width=180, height=320),
    "turned by its container": Film(width=180, height=320, rotated=True),
    "oblong pixels": Film(width=352, height=288, sar="16/11"),
    "picture that starts at 5 s": Film(mux=("-output_ts_offset", "5")),
    "mkv that starts at 3.21 s": Film("film.mkv", mux=("-output_ts_offset", "3.21")),
    "10 bits": Film(video=(*H264[:-2], "-pix_fmt", "yuv420p10le")),
    "interlaced transport stream": Film("film.ts", rate=Fraction(25), frames=325, interlaced=True, video=INTERLACED),
    "interlaced mp4": Film(rate=Fraction(25), frames=325, interlaced=True, video=INTERLACED),
    "transport stream": Film("film.ts"),
    "transport stream at 30000/1001 fps": Film("film.ts", rate=Fraction(30_000, 1001), frames=391),
    "fragmented mp4": Film(mux=FRAGMENTED),
    "webm": Film("film.webm", video=VP8, sounds=(OPUS,)),
    "avi": Film("film.avi", video=MPEG4, sounds=(MP3,), mux=("-avoid_negative_ts", "disabled")),
    "avi with uncompressed sound": Film(
        "film.avi", rate=Fraction(30_000, 1001), frames=391, video=MPEG4, sounds=(PCM,)
    ),
    "mov with uncompressed sound": Film("film.mov", sounds=(PCM,)),
    "open groups of pictures in several chunks": Film(frames=817, video=OPEN_GROUPS),
    "one key frame in several chunks": Film(frames=817, video=(*H264, "-g", "9999")),
    "hevc": Film("film.mkv", video=("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")),
    "vp9": Film("film.webm", video=VP9, sounds=(OPUS,)),
    "prores": Film("film.mov", video=("-c:v", "prores_ks", "-profile:v", "3"), sounds=(PCM,)),
    "dnxhd": Film("film.mov", rate=Fraction(25), frames=75, width=1280, height=720, video=DNXHD, sounds=(PCM,)),
    "dnxhd in mxf": Film("film.mxf", rate=Fraction(25), frames=75, width=1280, height=720, video=DNXHD, sounds=(PCM,)),
    "mpeg-2 in mxf": Film("film.mxf", rate=Fraction(25), frames=325, video=MPEG2, sounds=(PCM,)),
    "h.264 in mxf": Film("film.mxf", rate=Fraction(25), frames=325, video=(*H264, "-bf", "0"), sounds=(PCM,)),
    "prores in mxf": Film(
        "film.mxf", rate=Fraction(25), frames=75, video=("-c:v", "prores_ks", "-profile:v", "2"), sounds=(PCM,)
    ),
    "mpeg-2 program stream": Film("film.mpg", rate=Fraction(25), frames=325, video=MPEG2, sounds=(MP2,)),
    "mpeg-2 transport stream": Film("film.ts", rate=Fraction(25), frames=325, video=MPEG2, sounds=(MP2,)),
    "flash video": Film("film.flv"),
    "windows media": Film("film.wmv", video=("-c:v", "wmv2", "-q:v", "3"), sounds=(MP3,)),
    "ogg": Film("film.ogv", video=("-c:v", "libtheora", "-q:v", "8"), sounds=(Sound(codec="libvorbis"),)),
    "shorter than a segment": Film(frames=31),
    "exactly one segment": Film(frames=96),
    "one frame more than a chunk": Film(frames=97),
}

QUICK = (
    "24 fps, mp4 with its index at the front",
    "film on television, 24000/1001 fps in mkv",
    "5.1",
    "two languages and two subtitle tracks in mkv",
    "odd size",
    "turned by its container",
    "interlaced transport stream",
    "webm",
    "avi",
    "one key frame in several chunks",
    "hevc",
    "shorter than a segment",
    "one frame more than a chunk",
)
"""A film of each kind; only the extended tests upload the others."""
