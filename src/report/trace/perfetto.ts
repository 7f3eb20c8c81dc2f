// A step for Perfetto (ui.perfetto.dev): ranks as processes, with tracks of slices, flows from send to receive, and
// counters of memory and of bytes on their way.

import { fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import type { Flow } from "../../measure/messages.ts";
import type { Slice, Timeline, Track } from "../../measure/timeline.ts";
import type { RankMemory } from "../../result/result.ts";
import { inert } from "../render/inert.ts";
import { eventType, perfettoMessage, sizeBytes } from "./perfetto_schema.ts";

/** All packets are of one writer. */
const sequence = 1;

/** A binary trace of `perfetto.protos.Trace`. */
export function perfettoTrace(timeline: Timeline, memory: readonly RankMemory[]): Uint8Array {
  const ids = createIds();
  const ranks = [...new Set(timeline.tracks.map(({ rank }) => rank))];
  const packet = ranks.flatMap((rank) => rankPackets(timeline, memory, rank, ids));
  const trace = perfettoMessage("Trace");
  return toBinary(trace, fromJson(trace, { packet }));
}

interface Ids {
  /** Of a track, for the whole trace; 0 is Perfetto's own. */
  next(): number;
}

function createIds(): Ids {
  let last = 0;
  return { next: () => (last += 1) };
}

function rankPackets(
  { tracks, flows, wallMs }: Timeline,
  memory: readonly RankMemory[],
  rank: number,
  ids: Ids,
): JsonObject[] {
  const process = ids.next();
  const name = `rank ${rank}`;
  const sent = flows
    .map((flow, id) => ({ ...flow, id: id + 1 }))
    .filter(({ from }) => from === rank);
  const received = flows
    .map((flow, id) => ({ ...flow, id: id + 1 }))
    .filter(({ to }) => to === rank);
  const open = new Set(sent);
  const landing = new Set(received);
  return [
    // Process 0 is the system's idle one.
    descriptor({ uuid: process, process: { pid: rank + 1, processName: name } }),
    ...tracks
      .filter((track) => track.rank === rank)
      .flatMap((track) => trackPackets(track, process, ids.next(), open, landing)),
    ...counterPackets("bytes on their way here", process, ids.next(), inFlight(received)),
    ...counterPackets(
      "memory",
      process,
      ids.next(),
      memory
        .filter((own) => own.rank === rank)
        .flatMap(({ allocatedBytes: value }) => [
          { ms: 0, value },
          { ms: wallMs, value },
        ]),
    ),
  ];
}

type NumberedFlow = Flow & { readonly id: number };

/** Slices in order of time, each begun and ended: so those that touch stay apart. */
function trackPackets(
  { kind, place, slices }: Track,
  process: number,
  uuid: number,
  open: Set<NumberedFlow>,
  landing: Set<NumberedFlow>,
): JsonObject[] {
  const name = place === 0 ? kind : `${kind} ${place + 1}`;
  return [
    descriptor({ uuid, parentUuid: process, name }),
    ...slices.flatMap((slice) => {
      const isMessage = kind === "communication";
      const begun = isMessage ? taken(open, ({ startMs }) => startMs === slice.startMs) : [];
      const ended = isMessage ? taken(landing, ({ endMs }) => endMs === slice.endMs) : [];
      return [
        event(slice.startMs, {
          type: eventType.begin,
          trackUuid: uuid,
          name: inert(slice.name),
          categories: [slice.kind],
          debugAnnotations: annotationsOf(slice),
          flowIds: begun.map(({ id }) => id),
        }),
        ...ended.map(({ id, name: collective }) =>
          event(slice.endMs, {
            type: eventType.instant,
            trackUuid: uuid,
            name: inert(`received ${collective}`),
            terminatingFlowIds: [id],
          }),
        ),
        event(slice.endMs, { type: eventType.end, trackUuid: uuid }),
      ];
    }),
  ];
}

/** Of the flows those that belong here, which then belong nowhere else. */
function taken(flows: Set<NumberedFlow>, belongs: (flow: NumberedFlow) => boolean): NumberedFlow[] {
  const found = [...flows].filter(belongs);
  for (const flow of found) flows.delete(flow);
  return found;
}

function annotationsOf({ work }: Slice): JsonObject[] {
  if (work === undefined) return [];
  const values = { FLOPs: work.flops, bytes: work.bytes, "share of bound": work.reached };
  return Object.entries(values).flatMap(([name, doubleValue]) =>
    doubleValue === undefined ? [] : [{ name, doubleValue }],
  );
}

interface CounterValue {
  readonly ms: number;
  readonly value: number;
}

function inFlight(flows: readonly Flow[]): CounterValue[] {
  const changes = flows
    .flatMap(({ startMs, endMs, bytes }) => [
      { ms: startMs, by: bytes },
      { ms: endMs, by: -bytes },
    ])
    .toSorted((a, b) => a.ms - b.ms);
  let value = 0;
  return changes.map(({ ms, by }) => {
    value += by;
    return { ms, value };
  });
}

function counterPackets(
  name: string,
  process: number,
  uuid: number,
  values: readonly CounterValue[],
): JsonObject[] {
  return [
    descriptor({ uuid, parentUuid: process, name, counter: { unit: sizeBytes } }),
    ...values.map(({ ms, value }) =>
      event(ms, {
        type: eventType.counter,
        trackUuid: uuid,
        counterValue: String(Math.round(value)),
      }),
    ),
  ];
}

function descriptor(trackDescriptor: JsonObject): JsonObject {
  return { trustedPacketSequenceId: sequence, trackDescriptor };
}

function event(ms: number, trackEvent: JsonObject): JsonObject {
  const timestamp = String(Math.max(0, Math.round(ms * 1e6)));
  return { timestamp, trustedPacketSequenceId: sequence, trackEvent };
}
