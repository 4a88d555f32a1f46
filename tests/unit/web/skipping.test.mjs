import assert from "node:assert/strict";
import { test } from "node:test";
import { actForKey } from "../../../web/js/player/controls.js";
import { labelFor, skippableAt, Skipping } from "../../../web/js/player/skipping.js";
import { element, installPage } from "./dom.mjs";

const page = installPage(() => null);

const chapter = (title, startTime, endTime) => ({ title, startTime, endTime });
const CHAPTERS = [chapter("Previously on Harbour", 0, 40), chapter("The storm", 40, 100), chapter("Intro", 100, 130), chapter("The calm", 130, 3000), chapter("Credits", 3000, 3100)];

test("chapters are skipped by their names, in English and German, however they are numbered", () => {
  for (const title of ["Intro", " intro ", "01 - Intro", "Chapter 2: Opening credits", "Kapitel 3 Vorspann", "Main Title"]) assert.equal(labelFor(title), "Skip intro", title);
  for (const title of ["Recap", "Previously on Harbour", "Was bisher geschah …", "Rückblick"]) assert.equal(labelFor(title), "Skip recap", title);
  for (const title of ["Credits", "End Credits", "07. Abspann", "Outro"]) assert.equal(labelFor(title), "Skip credits", title);
});

test("chapters of the film itself are not skipped", () => {
  for (const title of ["", "7", "Chapter 7", "Introduction", "The Credits Roll", "Opening", "Introspection", "Part 2"]) assert.equal(labelFor(title), "", title);
});

test("a chapter can be skipped from its beginning until a moment before its end", () => {
  const at = (time) => skippableAt(CHAPTERS, time)?.title ?? "";
  assert.deepEqual([0, 38.9, 39.1, 99.9, 100, 128.9, 129.5, 3000, 3100].map(at), ["Previously on Harbour", "Previously on Harbour", "", "", "Intro", "Intro", "", "Credits", ""]);
});

function shown() {
  const [button, play] = [element(), element()];
  const film = { time: 0, chapters: [], parts: [] };
  const skipping = new Skipping(button, { otherwise: play, chapters: () => film.chapters, parts: () => film.parts, time: () => film.time, seek: (time) => { film.time = time; } });
  const at = (time) => {
    film.time = time;
    skipping.update();
    return button.hidden ? "" : button.textContent;
  };
  return { button, play, film, skipping, at };
}

test("the button appears with its chapter, even if chapters come late, and leads to the end of the chapter", () => {
  const { film, skipping, at } = shown();
  assert.equal(at(105), "");
  film.chapters = CHAPTERS;
  assert.deepEqual([105, 140, 10, 3050].map(at), ["Skip intro", "", "Skip recap", "Skip credits"]);
  at(105);
  skipping.skip();
  assert.equal(film.time, 130);
  at(film.time);
  skipping.skip(); // nothing to skip: the film stays where it is
  assert.equal(film.time, 130);
});

test("the button goes with the controls after a while, and hands on the focus when it disappears", () => {
  const { button, play, film, at } = shown();
  film.chapters = CHAPTERS;
  at(101);
  assert.equal(button.getAttribute("data-chrome"), null);
  button.focus();
  at(120);
  assert.equal(button.getAttribute("data-chrome"), "");
  assert.equal(page.activeElement, button);
  at(140);
  assert.equal(page.activeElement, play);
});

test("a part that was found can be skipped like a chapter, unless a chapter at its place is named", () => {
  const { film, skipping, at } = shown();
  film.parts = [{ kind: "intro", start_s: 95, end_s: 133 }, { kind: "credits", start_s: 2000, end_s: 2050 }];
  assert.deepEqual([94, 96, 132.5, 2010].map(at), ["", "Skip intro", "", "Skip credits"]);
  skipping.skip();
  assert.equal(film.time, 2050);
  film.chapters = CHAPTERS;
  assert.deepEqual([96, 110, 131, 2010, 3050].map(at), ["", "Skip intro", "", "Skip credits", "Skip credits"]);
  film.chapters = [chapter("Chapter 1", 0, 3100)];
  assert.equal(at(96), "Skip intro"); // a chapter without a name says nothing
});

test("S skips", () => assert.deepEqual([actForKey({ key: "s" }), actForKey({ key: "S" })], [["pass"], ["pass"]]));
