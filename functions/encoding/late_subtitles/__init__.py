"""Late subtitles: files that arrive, or are replaced, after their film was planned."""
