// When a twin is opened: beside the reference, else when it is needed.

import { expect, test } from "vitest";
import { openBeside } from "../../src/harness/open_beside.ts";
import type { Observe } from "../../src/harness/verify.ts";
import { lower } from "../../src/program/lower.ts";
import { unshard } from "../../src/program/unshard.ts";
import { linear, plan } from "../support/plans.ts";

const sharded = plan("beside", 2, [[linear(8, 8, "row", [[0, 1]])]]);
const program = lower(sharded);

function opening(open: () => Promise<boolean>) {
  const events: string[] = [];
  const observe: Observe = async () => {
    events.push("observed");
    return { observed: [], checks: [] };
  };
  return {
    events,
    ...openBeside(observe, program, async () => {
      events.push("opens");
      return open();
    }),
  };
}

test("what is checked briefly is followed by the reference: the twin opens, once", async () => {
  const { events, observe, opened } = opening(async () => true);
  await observe(program, { check: "brief" });
  expect(events).toEqual(["observed", "opens"]);
  expect(await opened()).toBe(true);
  expect(events).toEqual(["observed", "opens"]);
});

test("beside a thorough check, and an unsharded run, it waits until it is asked for", async () => {
  const { events, observe, opened } = opening(async () => true);
  await observe(program, { check: "thorough" });
  await observe(lower(unshard(sharded)), { check: "brief" });
  expect(events).toEqual(["observed", "observed"]);
  await opened();
  expect(events).toEqual(["observed", "observed", "opens"]);
});

test("what fails is thrown to whoever awaits it, and to nobody else", async () => {
  const { observe, opened } = opening(async () => {
    throw new Error("no memory");
  });
  await observe(program, { check: "brief" });
  await expect(opened()).rejects.toThrow("no memory");
});

test("settled waits for an opening that is under way, however it ends, and begins none", async () => {
  const idle = opening(async () => true);
  await idle.settled();
  expect(idle.events).toEqual([]);
  const { promise, reject } = withResolvers();
  const { events, observe, settled } = opening(async () => promise);
  await observe(program, { check: "brief" });
  const waiting = settled().then(() => events.push("settled"));
  await Promise.resolve();
  expect(events).toEqual(["observed", "opens"]);
  reject(new Error("no memory"));
  await waiting;
  expect(events).toEqual(["observed", "opens", "settled"]);
});

function withResolvers(): { promise: Promise<boolean>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<boolean>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}
