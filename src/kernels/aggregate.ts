import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface AggregateShape {
  /** A multiple of `group`. */
  readonly rows: number;
  readonly columns: number;
  /** Rows that become one. */
  readonly group: number;
  /** 1 / group for a mean. */
  readonly scale: number;
}

/** y[g] = scale · Σ of the `group` rows of x from g · group on. */
export const aggregate: Kernel<AggregateShape> = {
  name: "aggregate",
  bindings: [read("x"), write("y")],
  constants: ({ rows, columns, group, scale }) => ({
    ROWS: rows,
    COLUMNS: columns,
    GROUP: group,
    SCALE: scale,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ rows, columns, group }) => flatGrid((rows / group) * rowQuads(columns)),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns, group }, dtype) =>
    (paddedElements(rows, columns) + paddedElements(rows / group, columns)) *
    bytesPerElement(dtype),
};
