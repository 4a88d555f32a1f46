/** Fetches a file of a film, on connections of any speed. */
import { ask, RequestError } from "../net.js";
import { t } from "../texts.js";

const SILENT_MS = 60_000;

/**
 * Return a file. Raises RequestError with status 0 if nothing arrives for `silentMs`; how long the whole file takes does
 * not matter.
 * @param {string} address
 * @param {{ signal: AbortSignal, silentMs?: number }} how
 * @returns {Promise<Blob>}
 */
export async function fetchFile(address, { signal, silentMs = SILENT_MS }) {
  const silence = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new RequestError(0, "unreachable", t("common.there_no_connection_notflix"))), silentMs);
  };
  restartTimer();
  try {
    return await ask(address, { asFile: true, signal: AbortSignal.any([signal, silence.signal]), onBytes: restartTimer });
  } finally {
    clearTimeout(timer);
  }
}
