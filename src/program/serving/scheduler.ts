// Which requests the next step works on, first come, first served.
//
// Static: a batch of requests is prefilled, then decoded until all have their tokens, then the next batch.
// Continuous: a request starts where another has ended. Where whole prompts are prefilled, they go before decode steps;
// where prompts are cut into chunks, running requests go first, and prompts take what is left of the budget of tokens,
// as in Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve", 2024. An iteration's
// decode and prefill are a step each.

import { createPagePool, type PagePool } from "./page_pool.ts";
import type { ServedRequest, ServedStep } from "./served.ts";

export interface SchedulerOptions {
  readonly kind: "static" | "continuous";
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly prefillChunk: number;
  readonly maxBatchedTokens: number;
  readonly pageTokens: number;
  /** By request, ms; ascending. */
  readonly arrivals: readonly number[];
  /** The replica that each slot of a step belongs to. */
  readonly decodeSlots: readonly number[];
  readonly prefillSlots: readonly number[];
}

export type Next =
  | { readonly step: ServedStep }
  /** Nothing to do until a request comes. */
  | { readonly idleUntilMs: number };

export interface Scheduler {
  /** Undefined once all requests have their tokens. To be called again when the step is over. */
  next(nowMs: number): Next | undefined;
  /** Pages in use now, of all replicas. */
  pagesInUse(): number;
}

/** Requests that a step gives a token each. */
export function tokensGivenBy(
  { phase, slots }: ServedStep,
  { inputTokens }: Pick<SchedulerOptions, "inputTokens">,
): number[] {
  return slots.flatMap((served) =>
    served !== undefined && (phase === "decode" || served.first + served.tokens === inputTokens)
      ? [served.request]
      : [],
  );
}

interface Running {
  readonly request: number;
  readonly replica: number;
  readonly slot: number;
  /** Tokens in the caches. */
  cached: number;
  readonly pages: number[];
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { kind, inputTokens, outputTokens, prefillChunk, maxBatchedTokens, arrivals } = options;
  const isChunked = prefillChunk < inputTokens;
  /** By decode slot. */
  const running = options.decodeSlots.map((): Running | undefined => undefined);
  const pools = poolsOf(options);
  let waiting = 0;
  /** Of a static batch: no request starts until all have ended. */
  let isClosed = false;
  /** What is left of an iteration whose decode step is under way. */
  let budget = 0;
  const own = (): Running[] => running.flatMap((each) => each ?? []);
  const prefilling = (): Running[] => own().filter(({ cached }) => cached < inputTokens);
  const decoding = (): Running[] => own().filter(({ cached }) => cached >= inputTokens);

  const admit = (nowMs: number): void => {
    if (kind === "static" && isClosed) return;
    for (; waiting < arrivals.length && (arrivals[waiting] ?? 0) <= nowMs; waiting++) {
      const slot = freeSlot(running, options.decodeSlots);
      if (slot === undefined) break;
      const replica = options.decodeSlots[slot] ?? 0;
      running[slot] = { request: waiting, replica, slot, cached: 0, pages: [] };
    }
    isClosed = kind === "static" && own().length > 0;
  };
  const taking: Take = (each, tokens) => {
    const { request, cached } = each;
    pools[each.replica]?.grow(each.pages, cached + tokens);
    each.cached += tokens;
    return { request, first: cached, tokens, pages: [...each.pages] };
  };
  const decodeStep = (): ServedStep => ({
    phase: "decode",
    slots: running.map((each) =>
      each === undefined || each.cached < inputTokens ? undefined : taking(each, 1),
    ),
  });
  const release = (): void => {
    for (const each of own()) {
      if (each.cached < inputTokens + outputTokens - 1) continue;
      pools[each.replica]?.release(each.pages);
      running[each.slot] = undefined;
    }
  };

  return {
    next(nowMs) {
      release();
      if (own().length === 0) isClosed = false;
      admit(nowMs);
      const rest = budget;
      budget = 0;
      const hasPrompts = prefilling().length > 0;
      const decodes = decoding().length;
      const prefillsFirst = !isChunked || kind === "static" || decodes === 0;
      if (hasPrompts && (prefillsFirst || rest > 0)) {
        const left = rest > 0 ? rest : maxBatchedTokens;
        const step = prefillStep(options, prefilling(), left, taking);
        if (step !== undefined) return { step };
      }
      if (decodes > 0) {
        if (isChunked && kind === "continuous") budget = Math.max(0, maxBatchedTokens - decodes);
        return { step: decodeStep() };
      }
      const arrival = arrivals[waiting];
      return arrival === undefined ? undefined : { idleUntilMs: arrival };
    },
    pagesInUse: () => pools.reduce((sum, pool) => sum + pool.inUse(), 0),
  };
}

type Take = (request: Running, tokens: number) => ServedRequest;

/** Of the requests that came first. Undefined where the budget does not reach for any prompt. */
function prefillStep(
  { inputTokens, prefillChunk, prefillSlots }: SchedulerOptions,
  prompts: readonly Running[],
  budget: number,
  take: Take,
): ServedStep | undefined {
  let left = budget;
  const waiting = prompts.toSorted((a, b) => a.request - b.request);
  const slots = prefillSlots.map((replica) => {
    const at = waiting.findIndex((each) => each.replica === replica);
    const each = waiting[at];
    if (each === undefined) return undefined;
    const wanted = Math.min(prefillChunk, inputTokens - each.cached);
    const taken = prefillChunk < inputTokens ? Math.min(wanted, left) : wanted;
    if (taken === 0 || taken > left) return undefined;
    waiting.splice(at, 1);
    left -= taken;
    return take(each, taken);
  });
  return slots.some((served) => served !== undefined) ? { phase: "prefill", slots } : undefined;
}

/** As many pages as the slots of each replica need. */
function poolsOf({
  decodeSlots,
  inputTokens,
  outputTokens,
  pageTokens,
}: SchedulerOptions): PagePool[] {
  const pages = Math.ceil((inputTokens + outputTokens - 1) / pageTokens);
  return Array.from({ length: 1 + Math.max(...decodeSlots) }, (_, replica) =>
    createPagePool(pages * decodeSlots.filter((own) => own === replica).length, pageTokens),
  );
}

/** Of the replica with most free slots the first. */
function freeSlot(
  running: readonly (Running | undefined)[],
  replicas: readonly number[],
): number | undefined {
  const free = new Map<number, number[]>();
  for (const [slot, replica] of replicas.entries()) {
    if (running[slot] !== undefined) continue;
    const known = free.get(replica);
    if (known === undefined) free.set(replica, [slot]);
    else known.push(slot);
  }
  const [most] = [...free.values()].toSorted((a, b) => b.length - a.length);
  return most?.[0];
}
