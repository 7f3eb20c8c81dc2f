import { hashSource } from "../../src/program/hash_source.ts";

/** Uniform in [-1, 1], the same for a name every time. */
export function drawn(name: string, size: number): Float64Array {
  const content = { kind: "uniform", tensor: name, center: 0, scale: 1 } as const;
  return hashSource(3).values({ ...content, shape: [size], offset: [0], size: [size] }, 0, 1);
}
