import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { fileWith, shardbench } from "./shardbench.ts";

const small = JSON.stringify({
  name: "small",
  hardware: { gpus: 2, gpu: "H100-SXM" },
  workload: { batch: 4, microBatches: 2, sequence: 16 },
  model: { layers: 2, hidden: 32, heads: 2, ffn: 64 },
  parallel: { tensor: 2 },
  claims: { samplesPerSecond: 1000 },
});

describe("search", () => {
  test("writes the best plan, which passes the check, and tells how it differs", async () => {
    const file = await fileWith("plan.json", small);
    const target = file.replace("plan.json", "best.json");
    const { code, stdout } = await shardbench(["search", file, "-o", target]);
    expect(code).toBe(0);
    for (const part of ["Candidates", "as given", "Front", "parallel.tensor", "projected"]) {
      expect(stdout).toContain(part);
    }
    expect(await readFile(target, "utf8")).not.toContain("claims");
    expect((await shardbench(["check", target])).code).toBe(0);
  });

  test("writes no plan where none is better, and says so", async () => {
    const file = await fileWith("plan.json", small);
    const best = file.replace("plan.json", "best.json");
    await shardbench(["search", file, "-o", best]);
    const { code, stdout } = await shardbench(["search", best, "-o", `${best}.again`]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("none is better than the plan as given");
    await expect(readFile(`${best}.again`)).rejects.toThrow("ENOENT");
  });

  test("takes other GPUs, and more of them", async () => {
    const file = await fileWith("plan.json", small);
    const { code, stdout } = await shardbench([
      "search",
      file,
      "--hardware",
      "A100-SXM-80GB*4",
      "--json",
    ]);
    expect(code).toBe(0);
    const found: unknown = JSON.parse(stdout);
    expect(found).toHaveProperty("best.0.plan.hardware", { gpus: 4, gpu: "A100-SXM-80GB" });
  });

  test("a GPU that nobody makes is refused, and so is a plan that serves", async () => {
    const file = await fileWith("plan.json", small);
    expect((await shardbench(["search", file, "--hardware", "H100"])).stderr).toContain("perhaps");
    const served = await shardbench(["search", "configs/serving-moe-small.yaml"]);
    expect(served.code).toBe(2);
    expect(served.stderr).toContain("not-searched");
  });
});

describe("project", () => {
  test("gives a range, what dominates, and no verdict that a run would give", async () => {
    const file = await fileWith("plan.json", small);
    const { code, stdout } = await shardbench(["project", file, "--hardware", "H100-SXM*4"]);
    expect(code).toBe(0);
    for (const part of [
      "TP 2 DP 2",
      "within",
      "dominates",
      "not calibrated",
      "neither confirms nor refutes",
    ]) {
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(part);
    }
  });

  test("two results calibrate nothing", async () => {
    const file = await fileWith("plan.json", small);
    const { code, stderr } = await shardbench(["project", file, "--from", file, "--from", file]);
    expect(code).toBe(2);
    expect(stderr).toContain("3 or more");
  });
});
