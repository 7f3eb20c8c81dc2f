import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPciTags } from "../../src/gpu/pci_tags.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "shardbench-test-"));
});
afterEach(() => rm(root, { recursive: true }));

async function plugIn(address: string, kind: string, vendor: string, device: string) {
  await mkdir(join(root, address));
  await writeFile(join(root, address, "class"), `${kind}\n`);
  await writeFile(join(root, address, "vendor"), `${vendor}\n`);
  await writeFile(join(root, address, "device"), `${device}\n`);
}

test("two equal GPUs get the tags of their addresses, in order", async () => {
  await plugIn("0000:c1:00.0", "0x030200", "0x10de", "0x2330");
  await plugIn("0000:0a:00.0", "0x030200", "0x10de", "0x2330");
  await plugIn("0000:00:02.0", "0x030000", "0x8086", "0x1234");
  await plugIn("0000:0b:00.0", "0x020000", "0x10de", "0x2330");
  expect(await findPciTags("nvidia", 2, root)).toEqual(["pci-0000_0a_00_0", "pci-0000_c1_00_0"]);
});

test("a number that fits no group of equal devices gives none", async () => {
  await plugIn("0000:0a:00.0", "0x030200", "0x10de", "0x2330");
  await plugIn("0000:0b:00.0", "0x030200", "0x10de", "0x2684");
  expect(await findPciTags("nvidia", 2, root)).toBeUndefined();
});

test("a machine without PCI gives none", async () => {
  expect(await findPciTags("nvidia", 2, join(root, "nonexistent"))).toBeUndefined();
});
