/** One PUT to blob storage that tells how far it is: `fetch` cannot, so XMLHttpRequest does. */
import { PutError } from "./upload.js";

const SILENT_MS = 60_000;
const CODE = /<Code>(\w+)<\/Code>/;

/** Put `body`; resolve on 2xx, raise PutError otherwise. A connection on which nothing moves for a minute is given up. */
export function put(address, body, { signal, onBytes }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const silent = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), SILENT_MS);
    };
    const stop = () => request.abort();
    const end = (settle, value) => () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      settle(value());
    };
    request.open("PUT", address);
    request.upload.addEventListener("progress", ({ loaded }) => {
      silent();
      onBytes(loaded);
    });
    request.addEventListener("load", () => {
      const fine = request.status >= 200 && request.status < 300;
      const error = () => new PutError(request.status, CODE.exec(request.responseText)?.[1]);
      end(fine ? resolve : reject, fine ? () => {} : error)();
    });
    request.addEventListener("error", end(reject, () => new PutError(0)));
    request.addEventListener("abort", end(reject, () => (signal.aborted ? signal.reason : new PutError(0))));
    signal.addEventListener("abort", stop);
    silent();
    request.send(body);
  });
}

/** Pass the time, less of it when the network comes back; raise what `signal` was aborted with. */
export function waitOnline(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
