import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import { collectiveOf } from "../../src/program/program.ts";
import { linked } from "../../src/program/simulate/link_cost.ts";
import { readLink } from "../../src/result/link_file.ts";
import { linear, plan } from "../support/plans.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "links-"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function fileOf(value: unknown): Promise<string> {
  const file = join(folder, "link.json");
  await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  return file;
}

function bench(op: string, ranks: number, latencyMs?: number) {
  return {
    op,
    ranks,
    adapters: [{ id: "lavapipe" }],
    ...(latencyMs === undefined ? {} : { link: { latencyMs, bandwidth: 2e9, error: 0.1 } }),
  };
}

describe("the link is", () => {
  test("that of a send, whatever else was measured", async () => {
    const link = await readLink(await fileOf([bench("all-reduce", 2, 1), bench("send", 4, 2)]));
    expect(link).toMatchObject({ latencyMs: 2, source: "send over 4 ranks on lavapipe" });
  });

  test("else of what two ranks exchange", async () => {
    const link = await readLink(await fileOf([bench("all-gather", 4, 1), bench("gather", 2, 3)]));
    expect(link.latencyMs).toBe(3);
  });

  test.each([
    ["no link model of a send", [bench("all-reduce", 4, 1), bench("send", 2)]],
    ["not what `shardbench collectives --json` prints", { op: "send" }],
    ["not what `shardbench collectives --json` prints", "no JSON"],
  ])("refused where there is %s", async (reason, value) => {
    await expect(readLink(await fileOf(value))).rejects.toThrow(reason);
  });

  test.each([
    ["latencyMs", { latencyMs: -1 }],
    ["latencyMs", { latencyMs: 1e300 }],
    ["bandwidth", { bandwidth: 0 }],
    ["bandwidth", { bandwidth: -2e9 }],
    ["bandwidth", { bandwidth: 1e300 }],
    ["error", { error: -1 }],
  ])("refused where its %s is %j", async (name, part) => {
    const link = { latencyMs: 1, bandwidth: 2e9, error: 0.1, ...part };
    const file = await fileOf([{ ...bench("send", 2), link }]);
    await expect(readLink(file)).rejects.toThrow(`0.link.${name}`);
  });

  test("refused where there is no file", async () => {
    await expect(readLink(join(folder, "none.json"))).rejects.toThrow("no such file");
  });
});

test("transfers take what arrives at the link's bandwidth; kernels and sums what they were measured to", () => {
  const group = [[0, 1]];
  const program = lower(
    plan("sum", 2, [[linear(8, 16, "row", group)]], { workload: { batch: 4, microBatches: 1 } }),
  );
  const cost = { host: 1, compute: 2, readback: 3, move: 4, upload: 5, reduce: 6 };
  const ranks = program.ranks.map(({ instructions }) => ({
    instructions: instructions.map(() => cost),
    rest: cost,
  }));
  const found = linked(
    program,
    { repeats: [ranks], latencyMs: 9 },
    { latencyMs: 0.5, bandwidth: 1e6 },
  );
  expect(found.latencyMs).toBe(0.5);
  for (const [rank, { instructions }] of program.ranks.entries()) {
    for (const [i, instruction] of instructions.entries()) {
      const transfer = collectiveOf(instruction);
      // 12 rows of 16 f32 from the one other rank, at 1,000 B a millisecond.
      const expected =
        transfer === undefined ? cost : { ...cost, readback: 0, move: 0, upload: 0.768 };
      expect(found.repeats[0]?.[rank]?.instructions[i]).toEqual(expected);
    }
  }
});
