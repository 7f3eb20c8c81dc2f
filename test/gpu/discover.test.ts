import { expect, test } from "vitest";
import { discoverAdapters, findAdapters } from "../../src/gpu/discover.ts";

test("the embedded adapter is found where the machine shows no Vulkan driver", async () => {
  const { adapters, refused } = await discoverAdapters({
    ...process.env,
    VK_DRIVER_FILES: "/nonexistent/driver.json",
  });
  expect(adapters.map(({ choice }) => choice)).toEqual([
    {
      id: "swiftshader",
      name: expect.stringContaining("SwiftShader"),
      software: true,
      loader: "embedded",
      ordinal: 0,
    },
  ]);
  expect(refused).toEqual([
    {
      id: "VK_DRIVER_FILES",
      reason: expect.stringContaining("/nonexistent/driver.json is not there"),
    },
  ]);
});

test.each([
  ["VK_ICD_FILENAMES", "/nonexistent/driver.json"],
  ["VK_ADD_DRIVER_FILES", "/nonexistent/driver.json"],
  ["VK_LOADER_DRIVERS_SELECT", "*nobody*"],
  ["VK_LOADER_DRIVERS_DISABLE", "*"],
  ["VK_INSTANCE_LAYERS", "VK_LAYER_of_nobody"],
])("the embedded adapter is found whatever %s says, which is named", async (name, value) => {
  const { adapters, refused } = await discoverAdapters({ ...process.env, [name]: value });
  expect(adapters.map(({ choice }) => choice.id)).toContain("swiftshader");
  expect(refused.map(({ id }) => id)).toContain(name);
});

// Hardware, which is in no list, has -1.
function preference(id: string): number {
  return ["lavapipe", "swiftshader"].indexOf(id);
}

test("adapters come in order of preference, each id once", async () => {
  const ids = (await findAdapters()).map(({ choice }) => choice.id);
  expect(ids).toEqual(ids.toSorted((a, b) => preference(a) - preference(b)));
  expect(new Set(ids).size).toBe(ids.length);
});

test("a report has what a person and a plan need", async () => {
  const [report] = (await findAdapters()).slice(-1);
  expect(report?.choice.id).toBe("swiftshader");
  expect(report?.driver).toContain("SwiftShader");
  expect(report?.limits["maxBufferSize"]).toBeGreaterThan(2 ** 28);
  expect(report?.subgroupSize).toEqual({ min: 4, max: 4 });
});

test("a driver that does not open is refused with a reason, not left out in silence", async () => {
  const { refused } = await discoverAdapters({
    ...process.env,
    VK_DRIVER_FILES: new URL("./drivers/lvp_icd.broken.json", import.meta.url).pathname,
  });
  expect(refused).toEqual([
    { id: "lavapipe", reason: expect.stringContaining("Mesa 23 or later") },
  ]);
});

test("where software adapters are named, no other driver is started to look", async () => {
  const { adapters } = await discoverAdapters(process.env, ["swiftshader"]);
  expect(adapters.map(({ choice }) => choice.id)).toEqual(["swiftshader"]);
  const whole = await findAdapters();
  expect(adapters).toEqual(whole.filter(({ choice }) => choice.id === "swiftshader"));
});

test("a named adapter that is not behind its usual driver is looked for behind all", async () => {
  const everywhere = await findAdapters();
  for (const names of [["swiftshader", "gpu63"], ["warp"]]) {
    const { adapters } = await discoverAdapters(process.env, names);
    expect(adapters).toEqual(everywhere);
  }
});
