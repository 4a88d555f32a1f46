/** The statistics of a film that plays, for tests and for people who look for a fault. */

/**
 * Return the frames shown and dropped, the errors and the stalls, and the position.
 * @param {{ video: HTMLVideoElement, errors: string[], stalls: number, facts: () => { duration: number } }} film
 */
export function statsOf(film) {
  const { video, errors, stalls } = film;
  const { totalVideoFrames: total, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
  return { total, dropped, ended: video.ended, errors: [...errors], time: video.currentTime, duration: film.facts().duration, stalls };
}
