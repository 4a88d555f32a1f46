import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, backoff, persist, RequestError, retryAfterS, tryLater } from "../../../web/js/net.js";

const answer = (status, body, headers = {}) => async () =>
  new Response(body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body), { status, headers });

test("an error answer becomes an error with its code and its sentence", async () => {
  await assert.rejects(ask("/x", {}, answer(409, { error: "not_playable", detail: "Not yet." })), { status: 409, code: "not_playable", message: "Not yet." });
});

test("viewers are not told what failed inside the service", async () => {
  const told = (code, detail) => ask("/x", {}, answer(503, { error: code, detail })).catch((error) => error.message);
  assert.equal(await told("store_unavailable", "The database logins_db is busy (error 1213); try again in a few seconds."), "That did not work just now. Try again in a moment.");
  assert.equal(await told("internal", "Something went wrong on our side; it has been logged. Try again."), "Something went wrong on our side. Try again in a moment.");
  assert.equal(await told("mail_unavailable", "The mail server mail:25 does not answer."), "The email could not be sent. Try again in a moment.");
  assert.equal(await told("mail_refused", "The mail server permanently refuses the recipient (550)."), "The email could not be sent. Try again in a moment.");
  assert.equal(await told("paypal_refused", "PayPal refuses (HTTP 422): UNPROCESSABLE_ENTITY."), "That did not work with PayPal. Try again in a few minutes, or contact us.");
  assert.equal(await told("busy", "Many people are logging in right now. Try again in a few seconds."), "Many people are logging in right now. Try again in a few seconds.");
});

test("a sentence about a field is shown without the name that the API has for it", async () => {
  const refused = answer(422, { error: "malformed", detail: "`price`: PayPal accepts only whole amounts in JPY." });
  await assert.rejects(ask("/x", {}, refused), { message: "PayPal accepts only whole amounts in JPY." });
});

test("a text says only once to try again", () => {
  assert.equal(tryLater(new RequestError(0, "unreachable", "There is no connection to Notflix.")), "There is no connection to Notflix. Try again in a moment.");
  assert.equal(tryLater(new RequestError(503, "store_unavailable", "That did not work just now. Try again in a moment.")), "That did not work just now. Try again in a moment.");
});

test("an answer that is not JSON is an error with its status", async () => {
  await assert.rejects(ask("/x", {}, answer(502, "<html>")), { status: 502, message: "Something went wrong on our side (502). Try again in a moment." });
  await assert.rejects(ask("/x", {}, answer(200, "<html>")), RequestError);
});

test("a missing answer is reported as a missing connection", async () => {
  const refuse = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(ask("/x", {}, refuse), { status: 0, code: "unreachable" });
});

test("an answer that breaks off is a missing connection, and one that the page cancels is not", async () => {
  const breaks = (/** @type {Error} */ error) => async () => new Response(new ReadableStream({ start: (controller) => controller.error(error) }));
  await assert.rejects(ask("/x", {}, breaks(new TypeError("network error"))), { status: 0, code: "unreachable" });
  await assert.rejects(ask("/x", {}, breaks(new DOMException("", "TimeoutError"))), { status: 0, code: "unreachable" });
  await assert.rejects(ask("/x", { asFile: true }, breaks(new TypeError("network error"))), { status: 0, code: "unreachable" });
  await assert.rejects(ask("/x", {}, breaks(new DOMException("", "AbortError"))), { name: "AbortError" });
});

test("temporary errors are retried, permanent ones are not", async () => {
  const waits = [];
  const wait = async (ms) => { waits.push(ms); };
  let calls = 0;
  const twice = async () => { calls += 1; if (calls < 3) throw new RequestError(503, "x", "x"); return "done"; };
  assert.equal(await persist(twice, { wait, random: () => 0.5 }), "done");
  assert.deepEqual(waits, [400, 800]);
  calls = 0;
  const never = async () => { calls += 1; throw new RequestError(404, "x", "x"); };
  await assert.rejects(persist(never, { wait }));
  assert.equal(calls, 1);
});

test("it gives up after the permitted number of attempts", async () => {
  let calls = 0;
  const always = async () => { calls += 1; throw new RequestError(0, "x", "x"); };
  await assert.rejects(persist(always, { attempts: 3, wait: async () => {} }));
  assert.equal(calls, 3);
});

test("waits grow up to a little more than eight seconds", () => {
  assert.ok(backoff(1, () => 0) < backoff(2, () => 0));
  assert.ok(backoff(30, () => 1) <= 8000 * 1.3);
});

test("an empty answer is null", async () => {
  assert.equal(await ask("/x", { method: "DELETE" }, answer(204)), null);
});

test("a refusal contains how long to wait, if the page may read it", async () => {
  const refused = { error: "too_many_attempts", detail: "Wait." };
  await assert.rejects(ask("/x", {}, answer(429, refused, { "retry-after": "42" })), { status: 429, retryAfterS: 42 });
  await assert.rejects(ask("/x", {}, answer(429, refused)), { status: 429, retryAfterS: null });
  assert.deepEqual(["7", "", null, "soon", "Wed, 21 Oct 2026 07:28:00 GMT"].map(retryAfterS), [7, null, null, null, null]);
});

test("a request carries its body as JSON and the headers it is given", async () => {
  let sent;
  const note = async (address, options) => { sent = { address, ...options }; return Response.json({}); };
  await ask("/x", { method: "POST", body: { a: 1 }, headers: { authorization: "Bearer t" } }, note);
  assert.equal(sent.body, '{"a":1}');
  assert.deepEqual(sent.headers, { "accept-language": "en", authorization: "Bearer t", "content-type": "application/json" });
  await ask("/x", {}, note);
  assert.deepEqual([sent.method, sent.body, sent.headers], ["GET", undefined, { "accept-language": "en" }]);
});
