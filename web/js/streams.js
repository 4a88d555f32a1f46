/** What the account plays at the moment: a list of devices, each with a button that stops it. */
import { hooks, piece, say } from "./dom.js";
import { persist, RequestError } from "./net.js";
import { authorized } from "./account/session.js";
import { momentInside } from "./account/words.js";
import { deviceName, t } from "./texts.js";

/** @import { OpenStream } from "./types.js" */

/**
 * Return the line below the title: the device, and since when it plays.
 * @param {Pick<OpenStream, "device" | "since" | "here">} stream
 * @param {Date} now
 */
export function streamPlace({ device, since, here }, now) {
  const name = deviceName(device);
  return `${here ? t("streams.here", { device: name }) : name} · ${t("streams.since", { moment: momentInside(since, now) })}`;
}

/** The list of open streams in `node`. */
export class StreamList {
  /**
   * `onStopped()` is called after a stream was stopped; `onTrouble(text)` receives the text of a failure, or "" if
   * there is none.
   * @param {HTMLElement} node
   * @param {{ onStopped: () => unknown, onTrouble: (text: string) => void }} parts
   */
  constructor(node, { onStopped, onTrouble }) {
    this.node = node;
    this.onStopped = onStopped;
    this.onTrouble = onTrouble;
  }

  /** Show the open streams; return their number, or null if they could not be fetched. */
  async load() {
    this.onTrouble("");
    try {
      /** @type {{ limit: number, streams: OpenStream[] }} */
      const { streams } = await persist(() => authorized("streams"));
      this.node.replaceChildren(...streams.map((stream) => this.entry(stream)));
      return streams.length;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.node.replaceChildren();
      this.onTrouble(error.message);
      return null;
    } finally {
      this.node.removeAttribute("aria-busy");
    }
  }

  /** @param {OpenStream} stream */
  entry(stream) {
    const node = piece("stream");
    const at = hooks(node);
    at.title.textContent = stream.title;
    at.title.id = `stream-${stream.stream_id}`;
    say(at.place, streamPlace(stream, new Date()));
    at.stop.setAttribute("aria-describedby", at.title.id);
    at.stop.addEventListener("click", () => this.stop(stream, at.stop));
    return node;
  }

  /**
   * @param {OpenStream} stream
   * @param {HTMLButtonElement} button
   */
  async stop(stream, button) {
    button.disabled = true;
    try {
      await persist(() => authorized(`streams/${encodeURIComponent(stream.stream_id)}`, { method: "DELETE" }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.status !== 404) { // 404: it has ended in the meantime
        button.disabled = false;
        this.onTrouble(error.message);
        return;
      }
    }
    await this.onStopped();
  }
}
