/** The player's pictures: the still that is shown before the first frame, and the thumbnails of the seek bar. */
/** @import { Title } from "../types.js" */
/** @import { Session } from "./session.js" */

/**
 * Show the title's backdrop, if the catalogue has one, until the first frame of the film.
 * @param {HTMLVideoElement} video
 * @param {Pick<Title, "artwork"> | null} title
 */
export function showStill(video, title) {
  const still = title?.artwork?.backdrop ?? title?.artwork?.card;
  if (still) video.poster = `/${still}`;
}

/**
 * Return the thumbnail at a time in seconds: a part of a picture and its signed address; null if there is none.
 * @param {{ player: any, session: Pick<Session, "picture">, track: any }} parts
 * @param {number} time
 */
export async function thumbnailAt({ player, session, track }, time) {
  if (!track) return null;
  const piece = await player.getThumbnails(track.id, time);
  if (!piece) return null;
  const address = await session.picture(piece.uris[0]);
  return { address, x: piece.positionX, y: piece.positionY, width: piece.width, height: piece.height };
}
