import { expect, test } from "vitest";
import { hiddenCommunication } from "../../src/measure/hidden_communication.ts";
import type { Collective, Instruction } from "../../src/program/program.ts";
import type { Span } from "../../src/program/trace.ts";
import { instructionOf, programOf, rankTrace, span, stepTrace } from "./synthetic.ts";

const layer = "s/0.linear";
const { origin } = instructionOf(layer);
const transfer: Collective = {
  op: "broadcast",
  origin,
  name: layer,
  channel: 0,
  dtype: "f32",
  from: [0],
  to: [1],
  count: 1,
};
function started(block: number): Instruction {
  return { op: "start", origin, transfer, block };
}

const plain = programOf([layer], [[instructionOf(layer), transfer]]);
const overlapped = programOf(
  [layer],
  [[instructionOf(layer), started(0), instructionOf(layer), started(1)]],
);

function found(before: readonly Span[], after: readonly Span[]) {
  return hiddenCommunication(
    { program: plain, trace: stepTrace([rankTrace(0, before)]) },
    { program: overlapped, trace: stepTrace([rankTrace(0, after)]) },
  );
}

/** 8 ms of computing, then 6 of communication of which 2 are waiting. */
const apart = [span("compute", 0, 8, 0), span("move", 8, 12, 1), span("wait", 12, 14, 1)];

test("what is exposed less than without overlap is hidden; of two blocks half can be", () => {
  // The first block's 3 ms beside the second's computing, the second's 3 ms after it.
  const beside = [
    span("compute", 0, 4, 0),
    span("compute", 4, 8, 2),
    span("move", 4, 7, 1),
    span("move", 8, 10, 3),
    span("wait", 10, 11, 3),
  ];
  expect(found(apart, beside)).toEqual({
    communicationMs: 6,
    hideableMs: 3,
    exposedMs: 3,
    hiddenMs: 3,
    plainComputeMs: 8,
    computeMs: 8,
  });
});

test("no more can be hidden than the other blocks compute", () => {
  const little = [span("compute", 0, 2, 0), span("move", 2, 12, 1)];
  expect(found(little, little)?.hideableMs).toBe(1);
});

test("blocks that are exposed one beside the other count once, and longer ones than before as a loss", () => {
  const beside = [span("compute", 0, 8, 0), span("move", 8, 14, 1), span("wait", 9, 16, 3)];
  expect(found(apart, beside)).toMatchObject({ exposedMs: 8, hiddenMs: -2 });
});

test("computing that communication slows down is told", () => {
  const slower = [span("compute", 0, 12, 0), span("move", 2, 6, 1), span("move", 6, 8, 3)];
  expect(found(apart, slower)).toMatchObject({ hiddenMs: 6, plainComputeMs: 8, computeMs: 12 });
});

test("a program that starts no transfer hides nothing", () => {
  const trace = stepTrace([rankTrace(0, apart)]);
  expect(hiddenCommunication({ program: plain, trace }, { program: plain, trace })).toBeUndefined();
});

function onCores(before: readonly [number, number], after: readonly [number, number]) {
  const trace = (cpuMs: readonly number[], spans: readonly Span[]) =>
    stepTrace(cpuMs.map((each, rank) => ({ ...rankTrace(rank, spans), endMs: 14, cpuMs: each })));
  return hiddenCommunication(
    { program: plain, trace: trace(before, apart) },
    { program: overlapped, trace: trace(after, apart) },
  )?.core;
}

test("on a core each, what the busiest rank's core idles can be hidden", () => {
  // Of 14 ms, 4 and 9 idle; of two blocks half can be hidden.
  expect(onCores([10, 5], [13, 12])).toEqual({
    idleMs: 4,
    hideableMs: 2,
    hiddenMs: 3,
    moreWorkMs: 3,
  });
});

test("a core that is always busy leaves nothing to hide", () => {
  expect(onCores([14.5, 5], [14, 14])).toEqual({
    idleMs: 0,
    hideableMs: 0,
    hiddenMs: 0,
    moreWorkMs: -0.5,
  });
});
