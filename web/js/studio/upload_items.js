/** The files in the Studio's list of uploads: their states in words, and the requests about them. */
import { bytesText } from "../text.js";
import { persist, RequestError } from "../net.js";
import { authorized } from "../account/session.js";
import { markOf, Meter, PutError, Unreadable } from "./upload.js";
import { shareText } from "./words.js";
import { t } from "../texts.js";

/** @import { UploadTicket } from "../types.js" */
/**
 * @typedef {object} Item a file in the list
 * @property {string} key
 * @property {File} file without its content if the upload was interrupted
 * @property {string} kind the kind of the file: "film", "subtitles", …
 * @property {string} text the kind in words
 * @property {boolean} [isTrailer] whether the film is a trailer, which has no page of its own
 * @property {"asking" | "confirm" | "waiting" | "sending" | "paused" | "done" | "cancelled" | "failed" | "interrupted" | "elsewhere"} state
 *   "elsewhere": another tab of this browser uploads it
 * @property {string} said
 * @property {number} sent bytes
 * @property {boolean} agreed whether the owner has agreed to replace the film with this name
 * @property {string | null | undefined} over the ETag of the blob that the file may replace; null if there is none, undefined if it is unknown
 * @property {string | null} title the announced title that this film belongs to; "" for none, null if not asked
 * @property {AbortController} stop
 * @property {Meter} meter
 * @property {UploadTicket | null} ticket
 * @property {string} blob its name in storage
 * @property {string} upload its id, if parts of it may have been committed, otherwise ""
 * @property {(() => void) | null} release ends this tab's claim on the upload; null if it has none
 */

const EXPECTED = [RequestError, PutError, Unreadable];

/**
 * @param {unknown} error
 * @returns {error is Error}
 */
export const isExpected = (error) => EXPECTED.some((kind) => error instanceof kind);

/**
 * @param {Item} item
 * @returns {Promise<UploadTicket>}
 */
export async function askTicket({ file, kind, agreed, title }) {
  const mark = kind === "film" ? await markOf(file) : null;
  return persist(() => authorized("uploads", { method: "POST", body: { name: file.name, size: file.size, replace: agreed, title, mark } }), { attempts: 8 });
}

/**
 * Return the text beside a file that is not being sent.
 * @param {Item} item
 */
export function stateText({ state, kind, file, sent, ticket }) {
  const size = bytesText(file.size);
  if (state === "paused") return t("uploads.paused", { share: shareText({ sent, size: file.size }) });
  if (state === "elsewhere") return t("uploads.in_other_tab", { share: shareText({ sent, size: file.size }) });
  if (state === "interrupted") return t("uploads.interrupted", { share: shareText({ sent, size: file.size }) });
  if (state === "waiting") return t("uploads.waiting", { size });
  if (state === "done" && kind === "film") return ticket && ticket.blob !== file.name ? t("uploads.uploaded_as", { size }) : t("uploads.uploaded_film", { size });
  if (state === "done") return t("uploads.uploaded", { size });
  if (state === "cancelled") return t("uploads.cancelled");
  return state === "failed" ? t("uploads.not_uploaded") : size;
}

/**
 * End the job of an upload that was cancelled, if parts of it have been committed already.
 * @param {Item} item
 */
export const endJob = ({ blob, upload }) => persist(() => authorized("uploads/cancel", { method: "POST", body: { blob, upload } }), { attempts: 8 });

/** @param {Item} item */
export const beganAnew = (item) => Object.assign(item, { state: "asking", said: "", sent: 0, stop: new AbortController(), meter: new Meter(), ticket: null });
