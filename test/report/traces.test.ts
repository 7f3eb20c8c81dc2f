// Traces for other tools, read again as their formats say: slices nest, flows match sends, times agree with the step.

import { fromBinary, toJson } from "@bufbuild/protobuf";
import { sizeDelimitedPeek } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { timelineOf } from "../../src/measure/timeline.ts";
import { lower } from "../../src/program/lower.ts";
import { collectiveOf } from "../../src/program/program.ts";
import { noCost } from "../../src/program/simulate/cost.ts";
import { simulate } from "../../src/program/simulate/simulate.ts";
import { chakraFiles } from "../../src/report/trace/chakra.ts";
import { chakraMessage } from "../../src/report/trace/chakra_schema.ts";
import { htaFiles } from "../../src/report/trace/hta.ts";
import { perfettoTrace } from "../../src/report/trace/perfetto.ts";
import { perfettoMessage } from "../../src/report/trace/perfetto_schema.ts";
import { planOf } from "../support/given.ts";

const program = lower(await planOf("three-stage-pipeline.json"));
/** Kernels take 1 ms, and each part of a collective a fifth: ranks wait for each other as they do in a run. */
const costs = program.ranks.map(({ instructions }) => ({
  instructions: instructions.map((instruction) => {
    if (instruction.op === "kernel") return { ...noCost, host: 0.05, compute: 1 };
    return collectiveOf(instruction) === undefined
      ? { ...noCost, host: 0.1 }
      : { ...noCost, readback: 0.2, move: 0.2, upload: 0.2, reduce: 0.2 };
  }),
  rest: noCost,
}));
const step = simulate(program, costs, 0.01);
const timeline = timelineOf(program, step, ["a", "a", "a"], []);

interface TrackEvent {
  readonly type: number;
  readonly trackUuid: string;
  readonly name?: string;
  readonly categories?: readonly string[];
  readonly counterValue?: string;
  readonly flowIds?: readonly string[];
  readonly terminatingFlowIds?: readonly string[];
}

interface Packet {
  readonly timestamp?: string;
  readonly trustedPacketSequenceId: number;
  readonly trackEvent?: TrackEvent;
  readonly trackDescriptor?: {
    readonly uuid: string;
    readonly parentUuid?: string;
    readonly name?: string;
    readonly process?: { readonly pid: number; readonly processName: string };
    readonly counter?: { readonly unit: number };
  };
}

describe("Perfetto's", () => {
  const bytes = perfettoTrace(
    timeline,
    [0, 1, 2].map((rank) => ({ rank, allocatedBytes: 1000 + rank, peakBytes: 2000 })),
  );
  const schema = perfettoMessage("Trace");
  const { packet: packets } = toJson(schema, fromBinary(schema, bytes)) as unknown as {
    packet: readonly Packet[];
  };
  const descriptors = packets.flatMap(({ trackDescriptor }) => trackDescriptor ?? []);
  const events = packets.flatMap(({ timestamp, trackEvent }) =>
    trackEvent === undefined ? [] : [{ ...trackEvent, ns: Number(timestamp) }],
  );

  test("has ranks as processes, and their tracks below them", () => {
    const processes = descriptors.filter(({ process }) => process !== undefined);
    expect(processes.map(({ process }) => process)).toEqual([
      { pid: 1, processName: "rank 0" },
      { pid: 2, processName: "rank 1" },
      { pid: 3, processName: "rank 2" },
    ]);
    expect(new Set(descriptors.map(({ uuid }) => uuid)).size).toBe(descriptors.length);
    const parents = new Set(processes.map(({ uuid }) => uuid));
    for (const { process, parentUuid, name } of descriptors) {
      expect(process !== undefined || parents.has(parentUuid ?? "")).toBe(true);
      expect(process !== undefined || (name ?? "") !== "").toBe(true);
    }
    expect(packets.every(({ trustedPacketSequenceId }) => trustedPacketSequenceId === 1)).toBe(
      true,
    );
  });

  test("has slices that nest, at the times of the step's spans", () => {
    const open = new Map<string, { ns: number; kind: string }>();
    const lasted: { kind: string; from: number; to: number }[] = [];
    const within: string[] = [];
    for (const { type, trackUuid, ns, categories } of events) {
      if (type === 1) {
        if (open.has(trackUuid)) within.push(trackUuid);
        open.set(trackUuid, { ns, kind: categories?.[0] ?? "" });
      } else if (type === 2) {
        const { ns: from, kind } = open.get(trackUuid) ?? { ns: Number.NaN, kind: "" };
        open.delete(trackUuid);
        lasted.push({ kind, from, to: ns });
      }
    }
    // No slice within another, none that ends before it begins, or never began.
    expect(within).toEqual([]);
    expect(lasted.filter(({ from, to }) => !(to >= from))).toEqual([]);
    expect(open.size).toBe(0);
    const sortedTimes = (all: readonly { kind: string; from: number; to: number }[]) =>
      all.map(({ kind, from, to }) => `${from} ${to} ${kind}`).toSorted();
    const spans = step.ranks.flatMap((rank) =>
      rank.spans.map(({ kind, startMs, endMs }) => ({
        kind,
        from: Math.round(startMs * 1e6),
        to: Math.round(endMs * 1e6),
      })),
    );
    // Beside them, the time when a rank is done and others are not.
    const own = lasted.filter(
      ({ kind, to }) => kind !== "wait" || to < Math.round(step.wallMs * 1e6),
    );
    expect(sortedTimes(own)).toEqual(
      sortedTimes(
        spans.filter(({ kind, to }) => kind !== "wait" || to < Math.round(step.wallMs * 1e6)),
      ),
    );
  });

  test("has flows that begin with a send and end where they were received, later", () => {
    const sends = new Map(
      events.flatMap(({ flowIds = [], ns }) => flowIds.map((id) => [id, ns] as const)),
    );
    const ends = events.flatMap(({ terminatingFlowIds = [], ns }) =>
      terminatingFlowIds.map((id) => ({ id, ns })),
    );
    expect(ends.length).toBe(timeline.flows.length);
    expect(ends.length).toBeGreaterThan(10);
    expect(ends.map(({ id }) => id).toSorted()).toEqual([...sends.keys()].toSorted());
    for (const { id, ns } of ends) expect(ns).toBeGreaterThan(sends.get(id) ?? Infinity);
  });

  test("has counters of bytes: memory, and what is on its way, none of it at the end", () => {
    const counters = descriptors.filter(({ counter }) => counter?.unit === 3);
    expect(counters.length).toBe(6);
    for (const { uuid, name } of counters) {
      const values = events
        .filter(({ trackUuid, type }) => trackUuid === uuid && type === 4)
        .map(({ counterValue }) => Number(counterValue));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      const isMemory = name === "memory";
      expect(isMemory ? (values[0] ?? 0) >= 1000 : values.at(-1) === 0 || values.length === 0).toBe(
        true,
      );
    }
  });
});

describe("Holistic Trace Analysis", () => {
  const files = htaFiles(timeline, program);

  test("finds the rank of a file by the text that it looks for", () => {
    expect(files.map(({ name }) => name)).toEqual(["rank0.json", "rank1.json", "rank2.json"]);
    for (const [rank, { content }] of files.entries()) {
      expect(String(content).split("\n")[0]).toContain(`"distributedInfo": {"rank": ${rank},`);
    }
  });

  test("tells kernels, communication and copies apart, each on its stream", () => {
    const { traceEvents } = JSON.parse(String(files[1]?.content)) as {
      traceEvents: readonly {
        ph: string;
        cat: string;
        name: string;
        ts: number;
        dur: number;
        args: Readonly<Record<string, unknown>>;
      }[];
    };
    expect(traceEvents.every(({ ph, ts, dur }) => ph === "X" && ts >= 0 && dur >= 0)).toBe(true);
    const gpu = traceEvents.filter(({ cat }) => cat === "kernel" || cat === "gpu_memcpy");
    expect(gpu.every(({ args }) => typeof args["stream"] === "number")).toBe(true);
    const names = new Set(gpu.map(({ name }) => name.split(/[ (]/, 1)[0]));
    expect(names).toEqual(
      new Set(["Memcpy", "kernel", "ncclDevKernel_AllGather", "ncclDevKernel_AllReduce"]),
    );
    const gather = gpu.find(({ name }) => name === "ncclDevKernel_AllGather");
    // Columns of 64 rows: 512 of its own, 1,024 of both.
    expect(gather?.args).toMatchObject({
      "Collective name": "all_gather",
      "In msg nelems": 64 * 512,
      "Out msg nelems": 64 * 1024,
      "Group size": 3,
      dtype: "Float",
    });
    const computeUs = gpu
      .filter(({ args }) => args["stream"] === 7)
      .reduce((sum, { dur }) => sum + dur, 0);
    const kernels = program.ranks[1]?.instructions.filter(({ op }) => op === "kernel").length ?? 0;
    expect(computeUs).toBeCloseTo(1000 * kernels, 3);
  });
});

describe("Chakra's", () => {
  interface Node {
    readonly id: string;
    readonly name: string;
    readonly type: number;
    readonly dataDeps?: readonly string[];
    readonly durationMicros?: string;
    readonly attr: readonly { readonly name: string; readonly int64Val?: string }[];
  }

  function nodesOf(content: Uint8Array): Node[] {
    const nodes: Node[] = [];
    let rest = content;
    for (let isHead = true; rest.length > 0; isHead = false) {
      const { size, offset } = sizeDelimitedPeek(rest);
      if (size === null || offset === null) throw new Error("a message has no size");
      const schema = chakraMessage(isHead ? "GlobalMetadata" : "Node");
      const read = toJson(schema, fromBinary(schema, rest.subarray(offset, offset + size)));
      if (!isHead) nodes.push(read as unknown as Node);
      rest = rest.subarray(offset + size);
    }
    return nodes;
  }

  const files = chakraFiles(timeline, program, "step");
  const byRank = files.map(({ content }) => nodesOf(content as Uint8Array));
  const value = ({ attr }: Node, name: string) =>
    attr.find((each) => each.name === name)?.int64Val ?? "absent";

  test("has a file per rank, whose nodes come one after the other", () => {
    expect(files.map(({ name }) => name)).toEqual(["step.0.et", "step.1.et", "step.2.et"]);
    for (const nodes of byRank) {
      expect(nodes.map(({ id }) => Number(id))).toEqual(nodes.map((_, i) => i + 1));
      expect(nodes.flatMap(({ dataDeps = [] }) => dataDeps)).toEqual(
        nodes.slice(1).map((_, i) => String(i + 1)),
      );
    }
  });

  test("has kernels with their FLOPs and time", () => {
    const kernels = byRank.flat().filter(({ type }) => type === 4);
    const asked = program.ranks.flatMap(({ instructions }) =>
      instructions.filter(({ op }) => op === "kernel"),
    );
    expect(kernels.length).toBe(asked.length);
    expect(kernels.every(({ durationMicros }) => durationMicros === "1000")).toBe(true);
    const product = kernels.find(({ name }) => name.startsWith("kernel matmul (embedding"));
    expect(product && value(product, "num_ops")).toBe(String(2 * 64 * 512 * 4096));
  });

  test("has a receive for every send between unequal groups, of the same size and tag", () => {
    const messages = (type: number) =>
      byRank
        .flat()
        .filter((node) => node.type === type)
        .map((node) =>
          ["comm_src", "comm_dst", "comm_tag", "comm_size"]
            .map((name) => value(node, name))
            .join(" "),
        )
        .toSorted();
    expect(messages(5).length).toBe(timeline.flows.length);
    expect(messages(6)).toEqual(messages(5));
  });

  test("has collectives of one group as collectives, a zero among their types", async () => {
    const equal = lower(await planOf("smoke/moe-ep2.yaml"));
    const trace = simulate(
      equal,
      equal.ranks.map(({ instructions }) => ({
        instructions: instructions.map(() => ({ ...noCost, compute: 1, move: 1 })),
        rest: noCost,
      })),
      0.01,
    );
    const [file] = chakraFiles(timelineOf(equal, trace, ["a", "a"], []), equal, "step");
    const collectives = nodesOf(file?.content as Uint8Array).filter(({ type }) => type === 7);
    expect(collectives.length).toBeGreaterThan(0);
    // All-reduce is 0, which is no absent one.
    expect(collectives.map((node) => value(node, "comm_type"))).toContain("0");
    expect(collectives.every((node) => Number(value(node, "comm_size")) > 0)).toBe(true);
  });
});
