/**
 * Keeps a film playing through network failures: it retries with increasing delays, and at once when the browser is
 * online again, until data arrives.
 *
 * Shaka 5.2 dispatches `error` with severity CRITICAL before it calls `streaming.failureCallback`, and the event cannot
 * be cancelled. Lowering the severity in the callback would be too late, so the handler of `error` must decide whether
 * a failure is fatal. See shaka-player 5.2.12, lib/media/streaming_engine.js `handleStreamingError_`,
 * lib/util/fake_event.js; issue 8595, pull request 9033. After the error Shaka stops fetching until `retryStreaming` is
 * called.
 */
import { backoff, isTemporary, RequestError } from "../net.js";

/** @typedef {{ Category: Record<string, number>, Code: Record<string, number> }} Kinds Shaka's enumerations of errors */
/** @typedef {{ category?: number, code?: number | string, data?: any[] }} PlayerError */

/** After this many refusals or missing segments without new data in between, the film stops. */
const MOST_REFUSALS = 20;
const MOST_MISSING = 2;
/** A retry has failed if neither data nor an error arrives within this time. */
const SILENT_MS = 60_000;
const NEW_DATA_S = 0.1;

/**
 * Return the API error that caused an error of Shaka's request filter, otherwise the error itself.
 * @param {PlayerError} error
 */
export const causeOf = (error) => (error.data?.[0] instanceof RequestError ? error.data[0] : error);

/**
 * Return the action for a streaming error: "retry", "renew" (request a new SAS), or "stop".
 * @param {PlayerError} error
 * @param {Kinds} kinds
 */
export function remedy(error, { Category, Code }) {
  const cause = causeOf(error);
  if (cause instanceof RequestError) return isTemporary(cause) ? "retry" : "stop";
  const { category, code, data = [] } = error;
  if (category !== Category.NETWORK) return "stop";
  if (code === Code.HTTP_ERROR || code === Code.TIMEOUT) return "retry";
  if (code !== Code.BAD_HTTP_STATUS) return "stop";
  const status = data[1];
  if (status === 408 || status === 429 || status >= 500) return "retry";
  return status === 401 || status === 403 || status === 404 || status === 410 ? "renew" : "stop";
}

/**
 * Return the error, marked as `unreachable` if it is an error of Shaka that only means that a server did not respond.
 * @param {any} error
 * @param {{ util: { Error: Kinds } } | undefined} shaka
 */
export function explained(error, shaka) {
  const kinds = shaka?.util.Error;
  if (kinds && error.category === kinds.Category.NETWORK && remedy(error, kinds) === "retry") error.unreachable = true;
  return error;
}

/** @param {PlayerError} error */
const isMissing = ({ data = [] }) => data[1] === 404 || data[1] === 410;

export class Recovery {
  #retry;
  #reload;
  #renew;
  #onTrouble;
  #onStop;
  #later;
  #cancel;
  #offline = false;
  #attempts = 0;
  #failing = false;
  #mark = 0;
  #end = 0;
  /** @type {any} */
  #next;
  /** @type {any} */
  #watchdog;

  /**
   * `retry()` makes the player fetch again and `reload()` opens the film again; `renew()` requests a new SAS.
   * `onTrouble(trouble)` is called with "offline", "failing" or "" (none), and `onStop(error)` with the reason why the
   * film cannot continue.
   * @param {{
   *   retry: () => void,
   *   reload: () => void,
   *   renew: () => Promise<unknown>,
   *   onTrouble: (trouble: string) => void,
   *   onStop: (error: any) => void,
   *   later?: (work: () => void, ms: number) => any,
   *   cancel?: (timer: any) => void,
   * }} parts
   */
  constructor({ retry, reload, renew, onTrouble, onStop, later = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) }) {
    this.#retry = retry;
    this.#reload = reload;
    this.#renew = renew;
    this.#onTrouble = onTrouble;
    this.#onStop = onStop;
    this.#later = later;
    this.#cancel = cancel;
    this.trouble = "";
  }

  /**
   * Handle an error of the player.
   * @param {PlayerError} error
   * @param {Kinds} kinds
   */
  failed(error, kinds) {
    const does = remedy(error, kinds);
    this.#cancel(this.#watchdog);
    this.#attempts += 1;
    const most = isMissing(error) ? MOST_MISSING : MOST_REFUSALS;
    if (does === "stop" || (does === "renew" && this.#attempts > most)) {
      this.#cancel(this.#next);
      this.#onStop(causeOf(error));
      return;
    }
    this.#failing = true;
    this.#mark = this.#end;
    if (does === "retry") {
      this.#tell();
      this.#schedule();
      return;
    }
    if (this.#attempts > 1) this.#tell(); // the first new SAS usually solves the problem, so no notice is shown
    this.#renew().then(
      () => this.#schedule(),
      (refusal) => {
        if (isTemporary(refusal)) this.#schedule();
        else this.#onStop(refusal);
      },
    );
  }

  /** Handle the loss of the browser's connection; the loaded part plays on. */
  offline() {
    this.#offline = true;
    this.#tell();
  }

  /** Handle the return of the browser's connection. */
  online() {
    this.#offline = false;
    this.#tell();
    if (this.#failing) this.#turn();
  }

  /**
   * Record that the film is loaded without a gap from the current position to `end`, in seconds.
   * @param {number} end
   */
  reaches(end) {
    this.#end = end;
    if (this.#failing && end > this.#mark + NEW_DATA_S) this.reset();
  }

  /**
   * Record a seek to a position that is loaded up to `end`; only data beyond `end` shows that the network works.
   * @param {number} end
   */
  leaps(end) {
    this.#end = end;
    this.#mark = end;
  }

  /** Forget all failures. */
  reset() {
    this.#failing = false;
    this.#attempts = 0;
    this.#cancel(this.#watchdog);
    this.#tell();
  }

  #schedule() {
    this.#cancel(this.#next);
    this.#next = this.#later(() => this.#turn(), backoff(this.#attempts));
  }

  #turn() {
    this.#cancel(this.#next);
    this.#cancel(this.#watchdog);
    this.#watchdog = this.#later(() => { if (this.#failing) this.#reload(); }, SILENT_MS);
    this.#retry();
  }

  #tell() {
    const trouble = this.#offline ? "offline" : this.#failing ? "failing" : "";
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.#onTrouble(trouble);
  }
}
