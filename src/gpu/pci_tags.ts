// Tells equal GPUs apart on Linux. Dawn knows adapters by name only; the PCI address is what is left.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const vendorIds: Readonly<Record<string, string>> = {
  nvidia: "0x10de",
  amd: "0x1002",
  intel: "0x8086",
};

/**
 * Tags for DRI_PRIME of `count` equal GPUs of a vendor, in order of their addresses. Undefined unless
 * exactly one group of that many equal devices is there.
 */
export async function findPciTags(
  vendor: string,
  count: number,
  root = "/sys/bus/pci/devices",
): Promise<string[] | undefined> {
  const groups = new Map<string, string[]>();
  for (const address of await addresses(root)) {
    const [kind, vendorId, deviceId] = await Promise.all(
      ["class", "vendor", "device"].map((file) => readFirstLine(join(root, address, file))),
    );
    // 0x03 is the class of display controllers, those without a display too.
    if (!kind?.startsWith("0x03") || vendorId !== vendorIds[vendor]) continue;
    const tags = groups.get(deviceId ?? "") ?? [];
    tags.push(`pci-${address.replaceAll(/[:.]/g, "_")}`);
    groups.set(deviceId ?? "", tags);
  }
  const fitting = [...groups.values()].filter((tags) => tags.length === count);
  return fitting.length === 1 ? fitting[0] : undefined;
}

async function addresses(root: string): Promise<string[]> {
  try {
    return (await readdir(root)).toSorted();
  } catch {
    return [];
  }
}

async function readFirstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    return "";
  }
}
