/** Where the watch page gets a film from: from storage with a key of the API, or from this device. */
import { authorized } from "../account/session.js";
import { persist } from "../net.js";
import { StoredSession } from "../offline/playing.js";
import { Session } from "./session.js";
import { openTrailer } from "./trailer.js";

/** @import { PlaybackSession } from "../types.js" */
/** @import { Stream } from "./stream.js" */
/** @typedef {Session | StoredSession} AnySession */

/** How long a renewal may take; the film plays meanwhile. */
const RENEWAL_MS = 15_000;

/**
 * Return the playback session of a title; if it is renewed, it continues its usage ticket and its stream. A guest who
 * opens a film is sent to the login page, but a film that plays is not taken away when the login session ends. A trailer
 * plays for everybody, and has no stream.
 * @param {string} id
 * @param {{ isStored: boolean, isTrailer?: boolean, stream: Stream, onRefused: (error: any, leftMs: number) => void }} how
 *   `isStored`: the film is downloaded; `onRefused`: see Session
 * @returns {AnySession}
 */
export function sessionFor(id, { isStored, isTrailer = false, stream, onRefused }) {
  if (isStored) return new StoredSession(id);
  /** @returns {Promise<PlaybackSession>} */
  const open = async () => {
    const body = { usage_ticket: made.data?.usage_ticket, stream_ticket: stream.ticket };
    const opened = await authorized(`titles/${encodeURIComponent(id)}/playback`, { method: "POST", body, ...(made.data ? { leave: false, signal: AbortSignal.timeout(RENEWAL_MS) } : {}) });
    stream.keep(opened.stream_ticket);
    return opened;
  };
  const trailer = () => openTrailer(id, made.data ? AbortSignal.timeout(RENEWAL_MS) : undefined);
  const made = new Session(() => persist(isTrailer ? trailer : open), { onRefused });
  return made;
}
