// A step as Chakra execution traces, a file per rank, for simulators such as ASTRA-sim: kernels with the time they took,
// and collectives with their bytes. Each node depends on the one before it on its rank.
//
// Between groups that are not the same a transfer is sends and receives: no collective of the format has two groups.

import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { groupBy } from "../../group_by.ts";
import type { Flow } from "../../measure/messages.ts";
import type { Slice, Timeline } from "../../measure/timeline.ts";
import { collectiveOf, type Collective, type Program } from "../../program/program.ts";
import { chakraMessage, collectiveType, nodeType } from "./chakra_schema.ts";
import type { TraceFile } from "./hta.ts";
import { messageSizes } from "./message_sizes.ts";

/** @param name of the files, before `.<rank>.et` */
export function chakraFiles(timeline: Timeline, program: Program, name: string): TraceFile[] {
  return program.ranks.map(({ rank }) => ({
    name: `${name}.${rank}.et`,
    content: joined([
      encoded("GlobalMetadata", { version: "0.0.4" }),
      ...nodesOf(timeline, program, rank).map((node) => encoded("Node", node)),
    ]),
  }));
}

function encoded(message: "GlobalMetadata" | "Node", content: JsonObject): Uint8Array {
  const schema = chakraMessage(message);
  return sizeDelimitedEncode(schema, fromJson(schema, content));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function nodesOf({ tracks, flows }: Timeline, program: Program, rank: number): JsonObject[] {
  const slices = tracks
    .filter(({ rank: own, kind }) => own === rank && kind !== "idle" && kind !== "host")
    .flatMap((track) => track.slices);
  const byInstruction = groupBy(slices, ({ instruction }) => instruction ?? -1);
  const { instructions = [] } = program.ranks[rank] ?? {};
  const asMessages = new Set<string>();
  const own = instructions.flatMap((instruction, index): TimedNode[] => {
    const collective = collectiveOf(instruction);
    if (collective !== undefined && !isAmongEqual(collective)) asMessages.add(collective.name);
    const found = byInstruction.get(index);
    if (found === undefined) return [];
    const atMs = Math.min(...found.map(({ startMs }) => startMs));
    if (instruction.op === "kernel") return [{ atMs, node: computeNode(found) }];
    return collective === undefined || asMessages.has(collective.name)
      ? []
      : [{ atMs, node: collectiveNode(collective, rank, found) }];
  });
  const messages = flows.flatMap((flow): TimedNode[] => {
    if (!asMessages.has(flow.name)) return [];
    return [
      ...(flow.from === rank
        ? [{ atMs: flow.startMs, node: messageNode(flow, nodeType.send) }]
        : []),
      // What comes after it has what it brought.
      ...(flow.to === rank ? [{ atMs: flow.endMs, node: messageNode(flow, nodeType.recv) }] : []),
    ];
  });
  return [...own, ...messages]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ node }, index) => ({
      ...node,
      id: String(index + 1),
      ...(index === 0 ? {} : { dataDeps: [String(index)] }),
    }));
}

interface TimedNode {
  /** When it takes its place among the rank's nodes. */
  readonly atMs: number;
  readonly node: JsonObject;
}

function computeNode(slices: readonly Slice[]): JsonObject {
  const [first] = slices;
  return {
    name: first?.name ?? "",
    type: nodeType.compute,
    ...timesOf(slices),
    attr: [
      { name: "is_cpu_op", boolVal: false },
      { name: "num_ops", int64Val: String(Math.round(first?.work?.flops ?? 0)) },
      { name: "tensor_size", uint64Val: String(Math.round(first?.work?.bytes ?? 0)) },
    ],
  };
}

function isAmongEqual({ op, from, to }: Collective): boolean {
  return (
    op in collectiveType && from.length === to.length && from.every((rank) => to.includes(rank))
  );
}

function collectiveNode(
  collective: Collective,
  rank: number,
  slices: readonly Slice[],
): JsonObject {
  const { op, name, dtype } = collective;
  const types: Readonly<Record<string, number>> = collectiveType;
  const { input, output } = messageSizes(collective, rank);
  const bytes = Math.max(input, output) * (dtype === "f16" ? 2 : 4);
  return {
    name,
    type: nodeType.collective,
    ...timesOf(slices),
    attr: [
      { name: "is_cpu_op", boolVal: false },
      { name: "comm_type", int64Val: String(types[op] ?? 0) },
      { name: "comm_size", int64Val: String(Math.round(bytes)) },
      { name: "pg_name", stringVal: name },
    ],
  };
}

function messageNode(flow: Flow, type: number): JsonObject {
  return {
    name: flow.name,
    type,
    ...timesOf([flow]),
    attr: [
      { name: "is_cpu_op", boolVal: false },
      { name: "comm_src", int64Val: String(flow.from) },
      { name: "comm_dst", int64Val: String(flow.to) },
      { name: "comm_tag", int64Val: String(flow.channel) },
      { name: "comm_size", int64Val: String(Math.round(flow.bytes)) },
    ],
  };
}

function timesOf(slices: readonly { readonly startMs: number; readonly endMs: number }[]) {
  const startMs = Math.min(...slices.map((slice) => slice.startMs));
  const endMs = Math.max(...slices.map((slice) => slice.endMs));
  return {
    startTimeMicros: String(Math.max(0, Math.round(1000 * startMs))),
    durationMicros: String(Math.max(0, Math.round(1000 * (endMs - startMs)))),
  };
}
