/**
 * Loaded into Azurite before it starts: tells the function hosts of this machine which queue has a message and which
 * container has a new blob, so that they need not poll. Azure Storage has Event Grid for blobs, and nothing for queues.
 *
 * A host connects to the loopback port AZURITE_EVENTS_PORT and reads lines: `queue NAME` or `container NAME`. A line
 * says only that it is worth looking. It is sent once the request has been answered, so the message or blob is visible;
 * for a message that is hidden at first, it is sent when the message becomes visible.
 */
const { Server } = require("node:http");
const { createServer } = require("node:net");

const VERSIONS_OF_A_BLOB = [null, "blocklist", "metadata"];
/** The values of `comp` with which PUT makes a new version of a blob; others write a block or a property. */

const LONGEST_TIMER_S = 24 * 3600;

const QUEUE_NAME = /^[a-z0-9-]+$/;

const listeners = new Set();
/** The announcements that are to be sent, as `QUEUE SECOND`. */
const later = new Set();
/** How many messages were sent to each queue and not deleted since Azurite started. */
const waiting = new Map();

function announce(line) {
  for (const listener of listeners) {
    listener.write(`${line}\n`);
  }
}

/** Announce a queue after some seconds; announcements that are due within a second of each other are sent once. */
function announceLater(queue, seconds) {
  const due = Math.ceil(Date.now() / 1000 + seconds);
  const scheduled = `${queue} ${due}`;
  if (seconds > LONGEST_TIMER_S || later.has(scheduled)) {
    return;
  }
  later.add(scheduled);
  const announceNow = () => {
    later.delete(scheduled);
    announce(`queue ${queue}`);
  };
  setTimeout(announceNow, 1000 * due - Date.now()).unref();
}

/** Announce the messages that a request makes visible, now or later. */
function announceMessages(method, queue, id, parameters) {
  const hidden_s = Number(parameters.get("visibilitytimeout") ?? (method === "GET" ? 30 : 0));
  if (method === "POST") {
    waiting.set(queue, (waiting.get(queue) ?? 0) + 1);
  } else if (method === "DELETE") {
    waiting.set(queue, id ? (waiting.get(queue) ?? 0) - 1 : 0);
  }
  const received = method === "GET" && parameters.get("peekonly") !== "true" && (waiting.get(queue) ?? 0) > 0;
  if (received || (hidden_s > 0 && method !== "GET")) {
    announceLater(queue, hidden_s); // a received message is visible again if its host is killed
  } else if (method === "POST" || method === "PUT") {
    announce(`queue ${queue}`);
  }
}

/** Announce what a request has changed; paths are `/account/queue/messages/id` or `/account/container/blob`. */
function announceChange(method, url) {
  const { pathname, searchParams } = new URL(url, "http://azurite");
  const [, , name, kind, id] = pathname.split("/");
  if (!name || !kind) {
    return;
  }
  if (kind === "messages" && QUEUE_NAME.test(name)) {
    announceMessages(method, name, id, searchParams);
  } else if (method === "PUT" && VERSIONS_OF_A_BLOB.includes(searchParams.get("comp"))) {
    announce(`container ${decodeURIComponent(name)}`);
  }
}

const emit = Server.prototype.emit;

Server.prototype.emit = function emitAndAnnounce(event, request, response) {
  if (event === "request" && (request.method === "PUT" || request.url.includes("/messages"))) {
    response.once("finish", () => {
      if (response.statusCode < 300) {
        announceChange(request.method, request.url);
      }
    });
  }
  return emit.apply(this, arguments);
};

const server = createServer((listener) => {
  listener.unref(); // neither the hosts nor this server keep Azurite running after it was told to stop
  listeners.add(listener);
  listener.on("error", () => listener.destroy());
  listener.on("close", () => listeners.delete(listener));
});
server.unref();
server.listen(Number(process.env.AZURITE_EVENTS_PORT), "127.0.0.1");
