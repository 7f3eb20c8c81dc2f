import { expect, test } from "vitest";
import { adapterHint } from "../../src/gpu/embedded_platform.ts";
import type { AdapterReport } from "../../src/gpu/adapter.ts";
import { setJobHosts } from "../../src/gpu/job_hosts.ts";
import { placeRanks, type PlacementOptions } from "../../src/gpu/placement.ts";
import { rankAdapters } from "../../src/harness/record.ts";
import type { SeparationTest } from "../../src/measure/separation.ts";

function report(id: string): AdapterReport {
  return {
    choice: { id, name: id, software: !id.startsWith("gpu"), loader: "system", ordinal: 0 },
    vendor: "",
    architecture: "",
    device: "",
    driver: "",
    features: [],
    limits: {},
  };
}

function place(
  ranks: number,
  ids: readonly string[],
  options: PlacementOptions = {},
  environment: Record<string, string> = {},
): string[] {
  return placeRanks(ranks, ids.map(report), options, environment).map(({ choice }) => choice.id);
}

const everything = ["gpu0", "gpu1", "lavapipe", "swiftshader"];

test("hardware comes first, one rank each", () => {
  expect(place(2, everything)).toEqual(["gpu0", "gpu1"]);
});

test("fewer GPUs than ranks take turns", () => {
  expect(place(3, everything)).toEqual(["gpu0", "gpu1", "gpu0"]);
});

test("without hardware all ranks are on lavapipe", () => {
  expect(place(2, ["lavapipe", "swiftshader"])).toEqual(["lavapipe", "lavapipe"]);
});

test("without lavapipe all ranks are on SwiftShader", () => {
  expect(place(2, ["swiftshader"])).toEqual(["swiftshader", "swiftshader"]);
});

test("one adapter can be chosen for all ranks", () => {
  expect(place(2, everything, { adapter: "swiftshader" })).toEqual(["swiftshader", "swiftshader"]);
});

test("the environment chooses where no option does", () => {
  const environment = { SHARDBENCH_ADAPTER: "lavapipe" };
  expect(place(1, everything, {}, environment)).toEqual(["lavapipe"]);
  expect(place(1, everything, { adapter: "gpu1" }, environment)).toEqual(["gpu1"]);
});

test("an empty variable chooses nothing", () => {
  expect(place(1, everything, {}, { SHARDBENCH_ADAPTER: "" })).toEqual(["gpu0"]);
});

test("single ranks can be placed; the others are placed as before", () => {
  expect(place(3, everything, { placement: "1=swiftshader, 2=lavapipe" })).toEqual([
    "gpu0",
    "swiftshader",
    "lavapipe",
  ]);
});

test("an unknown adapter is refused with those that are there", () => {
  expect(() => place(1, everything, { adapter: "gpu7" })).toThrow(
    expect.objectContaining({
      code: "unknown-adapter",
      message: 'no adapter is called "gpu7" on this machine',
      hint: "choose from gpu0, gpu1, lavapipe, swiftshader",
    }),
  );
});

test.each(["3=gpu0", "x=gpu0", "gpu0", "1="])("placement %s of 3 ranks is refused", (placement) => {
  expect(() => place(3, everything, { placement })).toThrow(
    expect.objectContaining({
      code: "unknown-adapter",
      hint: expect.stringContaining("a rank from 0 to 2"),
    }),
  );
});

test("control: the last rank can be placed", () => {
  expect(place(3, everything, { placement: "2=gpu0" })).toEqual(["gpu0", "gpu1", "gpu0"]);
});

test("an adapter that was refused says why", () => {
  const refused = [{ id: "lavapipe", reason: "too old" }];
  expect(() => place(1, ["swiftshader"], { adapter: "lavapipe", refused })).toThrow(
    expect.objectContaining({
      code: "adapter-too-old",
      message: "adapter lavapipe does not open: too old",
    }),
  );
});

test("a machine without any adapter is told so", () => {
  const refused = [{ id: "swiftshader", reason: "package missing" }];
  expect(() => place(1, [], { refused })).toThrow(
    expect.objectContaining({
      code: "no-adapter",
      message: "this machine has no adapter that opens; swiftshader: package missing",
    }),
  );
});

test("where the embedded adapter does not exist, the advice says so", () => {
  expect(adapterHint("linux-x64")).toContain("@sparticuz/chromium");
  for (const platform of ["linux-arm64", "darwin-arm64", "win32-x64"]) {
    expect(adapterHint(platform)).not.toContain("@sparticuz");
    expect(adapterHint(platform)).toContain(`linux-x64 only, this is ${platform}`);
  }
  expect(adapterHint("linux-arm64")).toContain("lavapipe");
  expect(adapterHint("darwin-arm64")).not.toContain("lavapipe");
});

test("the ranks of a job take the GPUs of their own host in turn", () => {
  const on = (name: string, machine = name) => ({ name, machine });
  setJobHosts([on("a"), on("a"), on("a"), on("b"), on("b"), on("b")]);
  try {
    const ids = ["gpu0", "gpu1", "lavapipe"];
    expect(place(6, ids)).toEqual(["gpu0", "gpu1", "gpu0", "gpu0", "gpu1", "gpu0"]);
    expect(place(6, ids, { placement: "3=gpu1" })[3]).toBe("gpu1");
    const adapters = rankAdapters(placeRanks(6, ids.map(report), {}, {}));
    expect(adapters.map(({ machine }) => machine)).toEqual([0, 0, 0, 1, 1, 1]);
    // gpu0 and gpu1 look alike, and were not tested.
    expect(adapters.map(({ sharedWith }) => sharedWith)).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
      [4, 5],
      [3, 5],
      [3, 4],
    ]);
    // A test of ids may have met GPUs of different machines.
    const tested: SeparationTest = {
      date: "2026-12-01T00:00:00.000Z",
      adapters: ["gpu0", "gpu1"],
      alone: [[10], [10]],
      together: [
        [
          { adapter: "gpu0", startMs: 0, endMs: 10 },
          { adapter: "gpu1", startMs: 0, endMs: 10 },
        ],
      ],
    };
    const placed = placeRanks(6, ids.map(report), {}, {});
    expect(rankAdapters(placed, false, tested)[3]?.sharedWith).toEqual([4, 5]);
    setJobHosts([]);
    expect(rankAdapters(placed.slice(0, 2), false, tested)[0]?.sharedWith).toEqual([]);
    // Containers of one machine may see the same GPU.
    setJobHosts([on("pod-a", "node"), on("pod-b", "node")]);
    const contained = rankAdapters(placeRanks(2, ids.map(report), {}, {}));
    expect(contained.map(({ id, sharedWith }) => [id, sharedWith])).toEqual([
      ["gpu0", [1]],
      ["gpu0", [0]],
    ]);
  } finally {
    setJobHosts([]);
  }
});
