// What we write of Perfetto's trace format: `protos/perfetto/trace/trace_packet.proto` and `track_event/*.proto`.

import { describeMessages } from "./proto.ts";

/** `TrackEvent.Type` */
export const eventType = { begin: 1, end: 2, instant: 3, counter: 4 } as const;

/** `CounterDescriptor.Unit` */
export const sizeBytes = 3;

export const perfettoMessage = describeMessages("perfetto.protos", "proto2", {
  Trace: { packet: { number: 1, type: "TracePacket", isRepeated: true } },
  TracePacket: {
    timestamp: { number: 8, type: "uint64" },
    trusted_packet_sequence_id: { number: 10, type: "uint32" },
    track_event: { number: 11, type: "TrackEvent" },
    track_descriptor: { number: 60, type: "TrackDescriptor" },
  },
  TrackDescriptor: {
    uuid: { number: 1, type: "uint64" },
    name: { number: 2, type: "string" },
    process: { number: 3, type: "ProcessDescriptor" },
    parent_uuid: { number: 5, type: "uint64" },
    counter: { number: 8, type: "CounterDescriptor" },
  },
  ProcessDescriptor: {
    pid: { number: 1, type: "int32" },
    process_name: { number: 6, type: "string" },
  },
  CounterDescriptor: { unit: { number: 3, type: "int32" } },
  TrackEvent: {
    debug_annotations: { number: 4, type: "DebugAnnotation", isRepeated: true },
    type: { number: 9, type: "int32" },
    track_uuid: { number: 11, type: "uint64" },
    categories: { number: 22, type: "string", isRepeated: true },
    name: { number: 23, type: "string" },
    counter_value: { number: 30, type: "int64" },
    flow_ids: { number: 47, type: "fixed64", isRepeated: true },
    terminating_flow_ids: { number: 48, type: "fixed64", isRepeated: true },
  },
  DebugAnnotation: {
    double_value: { number: 5, type: "double" },
    name: { number: 10, type: "string" },
  },
});
