import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import test from "node:test";
import { answerFile } from "../../examroom/delivery/client/emergency.js";

const given = { sheet: "12", generation: 5, acknowledged: 2, token: "secret-token", at: "2026-11-22T01:00:00.000Z",
  events: [{ sequence: 4, number: 1, answer: "断电\n\"验电\"", flagged: true, saved: true }, { sequence: 3, number: 2, answer: "AC", flagged: false }] };

test("the file holds the events in order and a digest over all that counts", () => {
  const file = answerFile(given);
  assert.deepEqual(file.events.map((event) => event.sequence), [3, 4]);
  const covered = '[12,5,2,[[3,2,"AC",false],[4,1,"断电\\n\\"验电\\"",true]]]';
  assert.equal(file.digest, createHash("sha256").update(covered).digest("hex"));
  assert.deepEqual(Object.keys(file).sort(), ["acknowledged", "digest", "events", "format", "made_at", "page_generation", "proof", "sheet", "version"]);
});

test("the proof needs the page's token, which is not in the file", () => {
  const file = answerFile(given);
  const hash = createHash("sha256").update("secret-token").digest("hex");
  assert.equal(file.proof, createHmac("sha256", hash).update(file.digest).digest("hex"));
  assert.ok(!JSON.stringify(file).includes("secret-token"));
  assert.notEqual(answerFile({ ...given, token: "other" }).proof, file.proof);
});

test("any change of an event is another digest", () => {
  const changed = { ...given, events: given.events.map((event) => ({ ...event, flagged: false })) };
  assert.notEqual(answerFile(changed).digest, answerFile(given).digest);
});
