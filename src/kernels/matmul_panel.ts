// Products of one row on adapters that are CPUs, where w is read along its rows, a panel of them at a time.

import { isCpuAdapter } from "./cpu_adapter.ts";
import type { Tiling } from "./kernel.ts";
import { arithmeticOn, productTiling, type ProductShader } from "./product.ts";
import { ceilDiv, rowQuads } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** Quads of columns whose sums and share of a panel stay in a second-level cache. */
const mostQuads = 512;
/** Steps of a subgroup along a row of w: of a w that is narrower, strips are short and stay in the caches. */
const leastSteps = 32;

export const matmulPanel: ProductShader = {
  name: "matmul_panel",
  // An x that lies transposed has four rows to a quad.
  runsOn: (adapter, _dtype, { m, rows, transposed }) =>
    isCpuAdapter(adapter) && m <= 1 && rows !== "grouped-depth" && transposed !== "x",
  isPreferred: ({ n }, adapter) => rowQuads(n) >= leastSteps * subgroupSizeOf(adapter),
  tilings: (product, adapter, dtype) => {
    const { parts, n } = product;
    const lanes = subgroupSizeOf(adapter);
    // As long a run of each row of w as leaves every core a workgroup.
    const tiling = (workgroups: number): Tiling => {
      const share = ceilDiv(rowQuads(n), ceilDiv(workgroups, parts));
      const quads = Math.min(mostQuads, lanes * ceilDiv(share, lanes));
      return productTiling(
        product,
        { rows: 1, quads, constants: { QUADS: quads, LANES: lanes } },
        arithmeticOn(product, adapter, dtype),
      );
    };
    return [tiling(4), tiling(16)];
  },
};
