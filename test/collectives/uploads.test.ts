import { expect, test } from "vitest";
import { createUploads } from "../../src/collectives/uploads.ts";

const mebibyte = 2 ** 20;
async function meanwhile<Result>(work: Promise<Result>): Promise<Result> {
  return work;
}

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
  const uploads = createUploads(slowQueue(), meanwhile);
  for (let chunk = 0; chunk < 3; chunk++) {
    expect(uploads.take(mebibyte)).toBeUndefined();
    uploads.wrote(mebibyte);
  }
});

test("more waits until the GPU has taken the first of it", async () => {
  const queue = slowQueue();
  const uploads = createUploads(queue, meanwhile);
  for (let chunk = 0; chunk < 3; chunk++) {
    void uploads.take(mebibyte);
    uploads.wrote(mebibyte);
  }
  const room = uploads.take(mebibyte);
  expect(room).toBeInstanceOf(Promise);
  await queue.takeOne();
  await room;
  expect(uploads.take(mebibyte)).toBeUndefined();
  expect(uploads.take(mebibyte)).toBeInstanceOf(Promise);
});

test("who takes room keeps it from others before it has written", () => {
  const uploads = createUploads(slowQueue(), meanwhile);
  expect(uploads.take(2 * mebibyte)).toBeUndefined();
  expect(uploads.take(2 * mebibyte)).toBeInstanceOf(Promise);
});

test("what is larger than the ring is written when nothing else is outstanding", () => {
  const uploads = createUploads(slowQueue(), meanwhile);
  expect(uploads.take(8 * mebibyte)).toBeUndefined();
});

test("few bytes are neither submitted nor awaited", () => {
  const queue = slowQueue();
  const uploads = createUploads(queue, meanwhile);
  for (let message = 0; message < 1000; message++) {
    expect(uploads.take(4096)).toBeUndefined();
    uploads.wrote(4096);
  }
  expect(queue.asked()).toBe(0);
  expect(uploads.take(3 * mebibyte)).toBeUndefined();
});
