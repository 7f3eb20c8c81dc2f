// A step for Holistic Trace Analysis: a file per rank, in the format of PyTorch's profiler. It tells kernels from
// communication and copies by their names, and finds a rank by the text of its file's first line.

import type { Slice, Timeline, Track } from "../../measure/timeline.ts";
import { collectiveOf, type Collective, type Program } from "../../program/program.ts";
import { inertJson } from "../render/inert.ts";
import { messageSizes } from "./message_sizes.ts";

export interface TraceFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** Streams of one device; communication that overlaps has several. */
const computeStream = 7;
const firstCommunicationStream = 20;

/** @param program of whose step the timeline is */
export function htaFiles({ tracks }: Timeline, program: Program): TraceFile[] {
  return program.ranks.map(({ rank }) => {
    const own = tracks.filter((track) => track.rank === rank && track.kind !== "idle");
    const events = own.flatMap((track) =>
      track.slices.map((slice) => inertJson(JSON.stringify(eventOf(track, slice, program)))),
    );
    const head = `{"schemaVersion": 1, "distributedInfo": {"rank": ${rank}, "world_size": ${program.ranks.length}}, "traceEvents": [`;
    return { name: `rank${rank}.json`, content: `${head}\n${events.join(",\n")}\n]}\n` };
  });
}

function eventOf(track: Track, slice: Slice, program: Program): object {
  const { rank, kind } = track;
  const collective = collectiveIn(program, rank, slice);
  const time = { ph: "X", ts: 1000 * slice.startMs, dur: 1000 * (slice.endMs - slice.startMs) };
  if (kind === "host") {
    return { ...time, cat: "cpu_op", name: slice.name, pid: rank, tid: 1, args: {} };
  }
  const stream = kind === "compute" ? computeStream : firstCommunicationStream + track.place;
  const args = {
    device: 0,
    stream,
    correlation: slice.instruction ?? -1,
    ...(slice.work === undefined ? {} : slice.work),
    ...(collective === undefined ? {} : collectiveArgs(collective, rank)),
  };
  const cat = isCopy(slice) ? "gpu_memcpy" : "kernel";
  return { ...time, cat, name: nameOf(slice, collective), pid: 0, tid: stream, args };
}

/** Between GPU and host memory. */
function isCopy({ kind }: Slice): boolean {
  return kind === "readback" || kind === "upload";
}

function nameOf({ kind, name }: Slice, collective: Collective | undefined): string {
  if (kind === "compute") return name;
  if (kind === "readback") return "Memcpy DtoH (Device -> Pinned)";
  if (kind === "upload") return "Memcpy HtoD (Pinned -> Device)";
  const op = collective === undefined ? "SendRecv" : pascalCase(collective.op);
  return `ncclDevKernel_${op}`;
}

function pascalCase(op: string): string {
  return op.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function collectiveArgs(collective: Collective, rank: number): object {
  const { op, dtype, name, from, to } = collective;
  const { input, output } = messageSizes(collective, rank);
  return {
    "Collective name": op.replaceAll("-", "_"),
    "In msg nelems": input,
    "Out msg nelems": output,
    "Group size": new Set([...from, ...to]).size,
    dtype: dtype === "f16" ? "Half" : "Float",
    "Process Group Name": name,
  };
}

function collectiveIn(program: Program, rank: number, { instruction }: Slice) {
  const found = program.ranks[rank]?.instructions[instruction ?? -1];
  return found === undefined ? undefined : collectiveOf(found);
}
