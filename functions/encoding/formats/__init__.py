"""Media formats: reading and writing MP4, Matroska, H.264 and CMAF segments. Knows nothing about jobs and stores."""
