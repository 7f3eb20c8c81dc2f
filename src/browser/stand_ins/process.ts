// What a page has of Node's `process`: its clock. CPU times are not told there.

const nothing = { user: 0, system: 0 };

export const process = {
  hrtime: { bigint: () => BigInt(Math.round(1e6 * performance.now())) },
  cpuUsage: () => nothing,
};
