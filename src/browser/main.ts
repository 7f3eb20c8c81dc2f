// The script of the page: checks the plan's numbers on the visitor's adapter, times its kernels, measures the adapter's
// peaks, shows it all, and offers the times as a file.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import { calibrate } from "../gpu/calibration/calibrate.ts";
import { streamedBytes } from "../gpu/calibration/streamed_bytes.ts";
import { messageOf } from "../gpu/message_of.ts";
import { ceilingsOf, type MeasuredCeilings } from "../measure/ceiling.ts";
import { NumericsError } from "../numerics_error.ts";
import { lower } from "../program/lower.ts";
import { bodyHtml } from "../report/render/html_blocks.ts";
import type { BrowserTimes, TimedCall } from "../result/browser_times.ts";
import { canonicalJson } from "../result/canonical_json.ts";
import { browserTimesKind } from "../result/page_data.ts";
import { type CheckedNumbers, checkNumbers } from "./check_numbers.ts";
import { browserName, element } from "./document.ts";
import { openBrowserGpu } from "./open_gpu.ts";
import { pageData } from "./page_data.ts";
import { openPageRanks } from "./ranks.ts";
import { resultSections } from "./results.ts";
import { timeCalls } from "./time_calls.ts";

function say(text: string): void {
  element("status").textContent = text;
}

async function run(): Promise<void> {
  const { plan, reference } = pageData();
  say("Opening the adapter …");
  const program = lower(plan);
  const ranks = await openPageRanks(program);
  let checked: CheckedNumbers;
  let calls: readonly TimedCall[];
  try {
    void ranks.gpu.lost.then((reason) => say(`The device was lost: ${reason}`));
    say("Checking every kernel's numbers, and the whole result against the f64 reference …");
    checked = await checkNumbers(plan, program, ranks, reference, setImmediate);
    calls = await timeCalls(ranks.gpu, ranks.sessions, (done, all) =>
      say(`Timing kernels: ${done} of ${all} …`),
    );
  } finally {
    ranks.close();
  }
  say("Measuring what the device reaches at best …");
  const measured = await peaks();
  const times = timesOf(ranks.gpu.report.choice, checked, calls, measured);
  const sections = resultSections(checked, times, ceilingsOf(measured.ceilings));
  element("results").innerHTML = bodyHtml({ sections }, () => "", "result").main;
  await offer(times);
  say("Done.");
}

interface Peaks {
  readonly ceilings: MeasuredCeilings;
  readonly streamedBytes: number;
}

/** None where the device has too little memory to measure them. */
async function peaks(): Promise<Peaks> {
  const gpu = await openBrowserGpu("gpu");
  const streamed = streamedBytes(gpu.report.choice.software);
  try {
    const { rates } = await calibrate(gpu, "kernels");
    return { ceilings: rates, streamedBytes: streamed };
  } catch (error) {
    if (error instanceof EnvironmentError) return { ceilings: {}, streamedBytes: streamed };
    throw error;
  } finally {
    gpu.close();
  }
}

function timesOf(
  { name, software }: { readonly name: string; readonly software: boolean },
  { outcome }: CheckedNumbers,
  calls: readonly TimedCall[],
  measured: Peaks,
): BrowserTimes {
  const { shardbench, plan, workHash } = pageData();
  const { method, error, tolerance, values } = outcome;
  return {
    kind: browserTimesKind,
    version: 1,
    shardbench,
    date: new Date().toISOString(),
    plan: { name: plan.name, workHash },
    browser: browserName(),
    adapter: { name, software },
    check: { method, error, tolerance, values },
    calls: [...calls],
    ...measured,
  };
}

/** The file, sealed as `result/seal.ts` reads it. */
async function offer(times: BrowserTimes): Promise<void> {
  const bytes = new TextEncoder().encode(canonicalJson(times));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = JSON.stringify({ ...times, sha256 }, null, 1);
  const file = new Blob([text], { type: "application/json" });
  element("file").href = URL.createObjectURL(file);
  element("command").textContent =
    `shardbench simulate ${pageData().file} --result browser-times.json --link-bandwidth 10GB/s`;
  element("save").hidden = false;
}

function explain(error: unknown): string {
  if (error instanceof NumericsError) return `The numbers are wrong: ${error.message}.`;
  if (error instanceof EnvironmentError) return `${error.message}: ${error.hint}.`;
  return `It broke off: ${messageOf(error)}.`;
}

async function start(): Promise<void> {
  const button = element("start");
  button.disabled = true;
  element("results").innerHTML = "";
  element("save").hidden = true;
  try {
    await run();
  } catch (error) {
    say(explain(error));
  } finally {
    button.disabled = false;
  }
}

element("start").addEventListener("click", () => void start());
