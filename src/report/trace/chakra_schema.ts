// What we write of MLCommons Chakra's execution traces: `schema/protobuf/et_def.proto`.

import { describeMessages } from "./proto.ts";

/** `NodeType` */
export const nodeType = { compute: 4, send: 5, recv: 6, collective: 7 } as const;

/** `CollectiveCommType` */
export const collectiveType = {
  "all-reduce": 0,
  reduce: 1,
  "all-gather": 2,
  gather: 3,
  scatter: 4,
  broadcast: 5,
  "all-to-all": 6,
  "reduce-scatter": 7,
} as const;

export const chakraMessage = describeMessages("ChakraProtoMsg", "proto3", {
  AttributeProto: {
    name: { number: 1, type: "string" },
    int64_val: { number: 9, type: "int64", isChoice: true },
    uint64_val: { number: 13, type: "uint64", isChoice: true },
    bool_val: { number: 27, type: "bool", isChoice: true },
    string_val: { number: 29, type: "string", isChoice: true },
  },
  GlobalMetadata: {
    version: { number: 1, type: "string" },
  },
  Node: {
    id: { number: 1, type: "uint64" },
    name: { number: 2, type: "string" },
    type: { number: 3, type: "int32" },
    data_deps: { number: 5, type: "uint64", isRepeated: true },
    start_time_micros: { number: 6, type: "uint64" },
    duration_micros: { number: 7, type: "uint64" },
    attr: { number: 10, type: "AttributeProto", isRepeated: true },
  },
});
