import { expect, test } from "vitest";
import { createUploads } from "../../src/collectives/uploads.ts";

const mebibyte = 2 ** 20;

/** A GPU that takes what was written when it is told to. */
function slowQueue() {
  const finish: (() => void)[] = [];
  return {
    submit: () => undefined,
    onSubmittedWorkDone: async () =>
      new Promise<undefined>((resolve) => finish.push(() => resolve(undefined))),
    async takeOne() {
      finish.shift()?.();
      await Promise.resolve();
      await Promise.resolve();
    },
    asked: () => finish.length,
  };
}

test("control: as much as the ring holds is written at once", () => {
  const uploads = createUploads(slowQueue());
  for (let chunk = 0; chunk < 3; chunk++) {
    expect(uploads.room(mebibyte)).toBeUndefined();
    uploads.begin(mebibyte);
  }
});

test("more waits until the GPU has taken the first of it", async () => {
  const queue = slowQueue();
  const uploads = createUploads(queue);
  for (let chunk = 0; chunk < 3; chunk++) uploads.begin(mebibyte);
  const room = uploads.room(mebibyte);
  expect(room).toBeInstanceOf(Promise);
  await queue.takeOne();
  await room;
  expect(uploads.room(mebibyte)).toBeUndefined();
  expect(uploads.room(mebibyte + 4)).toBeInstanceOf(Promise);
});

test("few bytes are neither submitted nor awaited", () => {
  const queue = slowQueue();
  const uploads = createUploads(queue);
  for (let message = 0; message < 1000; message++) uploads.begin(4096);
  expect(queue.asked()).toBe(0);
  expect(uploads.room(mebibyte)).toBeUndefined();
});
