import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findDriverManifests, hasDeviceSelectLayer } from "../../src/gpu/driver_manifests.ts";

let root = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "shardbench-test-")));
  await mkdir(join(root, "vulkan/icd.d"), { recursive: true });
  for (const file of ["b.json", "a.json", "notes.txt"]) {
    await writeFile(join(root, "vulkan/icd.d", file), "{}");
  }
});
afterEach(() => rm(root, { recursive: true }));

function folder(): string {
  return join(root, "vulkan/icd.d");
}

test("manifests in the user's data folder are found, other files are not", async () => {
  const found = await findDriverManifests({ XDG_DATA_HOME: root, XDG_DATA_DIRS: "" });
  expect(found).toContain(join(folder(), "a.json"));
  expect(found).toContain(join(folder(), "b.json"));
  expect(found).not.toContain(join(folder(), "notes.txt"));
});

test("a restriction by the user is kept to, whether it names files or folders", async () => {
  const one = join(folder(), "b.json");
  expect(await findDriverManifests({ VK_DRIVER_FILES: one })).toEqual([one]);
  expect(await findDriverManifests({ VK_ICD_FILENAMES: `${one}:/nonexistent.json` })).toEqual([
    one,
  ]);
  expect(await findDriverManifests({ VK_DRIVER_FILES: folder() })).toEqual([
    join(folder(), "a.json"),
    one,
  ]);
});

test("one manifest under two names counts once", async () => {
  await symlink(join(folder(), "a.json"), join(folder(), "c.json"));
  expect(await findDriverManifests({ VK_DRIVER_FILES: folder() })).toHaveLength(2);
});

test.runIf(process.platform === "linux")(
  "the layer that picks a GPU is found by its name",
  async () => {
    const environment = { XDG_DATA_HOME: "/nonexistent", XDG_DATA_DIRS: root };
    const layers = join(root, "vulkan/implicit_layer.d");
    await mkdir(layers);
    await writeFile(join(layers, "VkLayer_other.json"), "{}");
    expect(await hasDeviceSelectLayer(environment)).toBe(false);
    await writeFile(join(layers, "VkLayer_MESA_device_select.json"), "{}");
    expect(await hasDeviceSelectLayer(environment)).toBe(true);
  },
);
