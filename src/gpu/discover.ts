// Which adapters this machine has: one small process per driver looks, all at the same time.

import { execFile } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { AdapterReport } from "./adapter.ts";
import { keepDistinct } from "./distinct_adapters.ts";
import { findDriverManifests, hasDeviceSelectLayer } from "./driver_manifests.ts";
import { hasEmbeddedAdapter, noEmbeddedAdapter } from "./embedded_platform.ts";
import { findPciTags } from "./pci_tags.ts";
import type { Probed } from "./probe.ts";
import { createRunQueueClock } from "./run_queue.ts";
import { softwareIdOf, softwareIds } from "./software_names.ts";
import { variablesInTheWay } from "./vulkan_variables.ts";
import type { DriverChoice } from "./vulkan_driver.ts";

/** An adapter that is there, or is expected to be, and yet of no use; or a variable that hides some. */
export interface RefusedAdapter {
  readonly id: string;
  readonly reason: string;
}

export interface Discovery {
  /** Hardware first, then lavapipe, then SwiftShader: the order of preference. */
  readonly adapters: readonly AdapterReport[];
  readonly refused: readonly RefusedAdapter[];
}

// Resolves to the same file from src/gpu and from dist/gpu; only built code runs in a process of its own.
const probeScript = fileURLToPath(new URL("../../dist/gpu/probe.js", import.meta.url));
/** Without the time in which it waits for a core. */
const probeTimeoutMs = 20_000;
const lookEveryMs = 500;

/** All adapters that open here, hardware first, then lavapipe, then SwiftShader. */
export async function findAdapters(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly AdapterReport[]> {
  return (await discoverAdapters(environment)).adapters;
}

/**
 * As `findAdapters`, with those that are there but refused.
 *
 * @param named ids of all that matter: where these are software adapters, no driver of hardware is started to look
 */
export async function discoverAdapters(
  environment: NodeJS.ProcessEnv = process.env,
  named?: readonly string[],
): Promise<Discovery> {
  const drivers = await findDrivers(environment);
  if (named?.every((id) => softwareIds.includes(id)) === true) {
    const software = drivers.filter((driver) => named.includes(expectedId(driver) ?? ""));
    const discovery = await discoverBehind(software, environment);
    const isThere = (id: string) => discovery.adapters.some(({ choice }) => choice.id === id);
    if (named.every(isThere)) return discovery;
  }
  return discoverBehind(drivers, environment);
}

async function discoverBehind(
  drivers: readonly DriverChoice[],
  environment: NodeJS.ProcessEnv,
): Promise<Discovery> {
  const found = await Promise.all(drivers.map((driver) => probe(driver, environment)));
  const canPick = await hasDeviceSelectLayer(environment);
  const { distinct, hidden } = await keepDistinct(
    found.flatMap(({ reports }) => reports),
    async (vendor, count) => (canPick ? findPciTags(vendor, count) : undefined),
  );
  const adapters = nameAll(distinct);
  const refused = [
    ...refusedDrivers(found, adapters),
    ...found.flatMap(({ shadowed }) => shadowed.map(refusedShadow)),
    ...refusedEquals(hidden, adapters),
    ...(hasEmbeddedAdapter() ? [] : [{ id: "swiftshader", reason: noEmbeddedAdapter() }]),
    ...(process.platform === "linux" ? await variablesInTheWay(environment) : []),
  ];
  return { adapters, refused };
}

/** Of the software adapter that such a driver has by its file's name; undefined for all others. */
function expectedId({ loader, driverManifest = "" }: DriverChoice): string | undefined {
  if (loader === "embedded") return "swiftshader";
  const file = basename(driverManifest);
  return file.startsWith("lvp") ? "lavapipe" : softwareIdOf(file);
}

async function findDrivers(environment: NodeJS.ProcessEnv): Promise<DriverChoice[]> {
  if (process.platform !== "linux") return [{ loader: "system" }];
  const manifests = await findDriverManifests(environment);
  return [
    ...manifests.map((driverManifest) => ({ loader: "system" as const, driverManifest })),
    ...(hasEmbeddedAdapter() ? [{ loader: "embedded" as const }] : []),
  ];
}

interface Found extends Probed {
  readonly driver: DriverChoice;
  /** Why the process came back without an answer. */
  readonly failure?: string;
}

function probe(driver: DriverChoice, env: NodeJS.ProcessEnv): Promise<Found> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [probeScript, JSON.stringify(driver)],
      { env, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        clearInterval(timer);
        if (error === null) {
          const probed: Probed = JSON.parse(stdout);
          resolve({ driver, ...probed });
          return;
        }
        const failure =
          ownMs > probeTimeoutMs
            ? `its driver did not answer within ${probeTimeoutMs / 1000} s`
            : (/^\w*Error: (.*)$/m.exec(stderr)?.[1] ??
              `its process ended with ${error.signal ?? error.code}`);
        resolve({ driver, reports: [], shadowed: [], failure });
      },
    );
    const queue = createRunQueueClock(child.pid);
    let ownMs = 0;
    let lastMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      ownMs += Math.max(0, nowMs - lastMs - queue.queuedMs());
      lastMs = nowMs;
      if (ownMs > probeTimeoutMs) child.kill("SIGKILL");
    }, lookEveryMs);
  });
}

/** Gives every adapter its id, and drops what a second manifest of the same driver repeats. */
function nameAll(reports: readonly AdapterReport[]): AdapterReport[] {
  const seen = new Set<string>();
  const hardware: AdapterReport[] = [];
  const software = new Map<string, AdapterReport>();
  for (const report of reports) {
    const { name, ordinal } = report.choice;
    const known = softwareIdOf(name);
    if (report.choice.software || known !== undefined) {
      const id = known ?? "software";
      software.set(id, software.get(id) ?? withId(report, id));
    } else if (!seen.has(`${ordinal} ${name}`)) {
      seen.add(`${ordinal} ${name}`);
      hardware.push(withId(report, `gpu${hardware.length}`));
    }
  }
  return [
    ...hardware,
    ...[...software].toSorted(([a], [b]) => order(a) - order(b)).map(([, report]) => report),
  ];
}

function order(id: string): number {
  return softwareIds.indexOf(id);
}

function withId(report: AdapterReport, id: string): AdapterReport {
  return {
    ...report,
    choice: { ...report.choice, id },
  };
}

/** Hardware drivers without their GPU are usual and not worth a word; software drivers always work or fail. */
function refusedDrivers(
  found: readonly Found[],
  adapters: readonly AdapterReport[],
): RefusedAdapter[] {
  const isThere = (id: string): boolean => adapters.some(({ choice }) => choice.id === id);
  return found.flatMap(({ driver, reports, failure }): RefusedAdapter[] => {
    if (reports.length > 0) return [];
    const id = expectedId(driver);
    if (id === undefined || isThere(id)) return [];
    return [
      {
        id,
        reason:
          failure ??
          (id === "lavapipe"
            ? "it does not load or is too old: Dawn needs lavapipe of Mesa 23 or later"
            : "Dawn does not accept it"),
      },
    ];
  });
}

function refusedShadow({ name, by }: Probed["shadowed"][number]): RefusedAdapter {
  return {
    id: name,
    reason: `Dawn finds adapters by a part of their name, and opens ${by} in its place`,
  };
}

/** Ranks that were placed on them would share the first without a word. */
function refusedEquals(
  hidden: readonly AdapterReport[],
  adapters: readonly AdapterReport[],
): RefusedAdapter[] {
  const refused = new Map<string, RefusedAdapter>();
  for (const { choice } of hidden) {
    const first = adapters.find((adapter) => adapter.choice.name === choice.name)?.choice;
    if (first === undefined || first.software) continue;
    const id = `${first.id}#${choice.ordinal + 1}`;
    const way =
      process.platform === "linux"
        ? "; Mesa's device-select layer would tell them apart (Debian: mesa-vulkan-drivers)"
        : "";
    refused.set(id, {
      id,
      reason: `another ${choice.name}, which cannot be opened apart from ${first.id}${way}`,
    });
  }
  return [...refused.values()];
}
