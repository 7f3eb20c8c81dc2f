import { expect, test } from "vitest";
import {
  addsOnHost,
  type RequestedReduction,
} from "../../../../src/program/exchange/all_reduce/algorithms.ts";

const small: RequestedReduction = {
  name: "sum",
  op: "all-reduce",
  count: 1024,
  dtype: "f32",
  from: [0, 1],
  to: [0, 1],
};

test("control: hosts add 4 KiB, in both types", () => {
  expect(addsOnHost(small)).toBe(true);
  expect(addsOnHost({ ...small, count: 2048, dtype: "f16" })).toBe(true);
});

test.each<[string, Partial<RequestedReduction>]>([
  ["more bytes", { count: 1025 }],
  ["a part of a word", { count: 3, dtype: "f16" }],
  ["what a single reader may not have read back itself", { to: [0] }],
  ["a single summand", { from: [0] }],
  ["what is to go round", { algorithm: "ring" }],
])("kernels add %s", (_, change) => {
  expect(addsOnHost({ ...small, ...change })).toBe(false);
});
