// What the host writes for the rows of a step of serving. Token ids and vectors are those that the same tokens would
// have in whole sequences, so that a step can be held against these.

import { bytesPerElement, type DType, rowPitch } from "../../kernels/storage.ts";
import type { ServingPhase, Workload } from "../../plan/plan.ts";
import { contextTokens } from "../../plan/serving.ts";
import type { ContentSource } from "../content_source.ts";
import { fillContent } from "../content_values.ts";

/** One request's part in a step. */
export interface ServedRequest {
  readonly request: number;
  /** Tokens that are cached before: the place of the first new one. */
  readonly first: number;
  readonly tokens: number;
  /** Where its tokens lie in the caches of its replica. */
  readonly pages: readonly number[];
  /** Ids of its new tokens. Absent: those of whole sequences. */
  readonly given?: readonly number[];
}

/** What a step works on, by slot; a slot without a request is idle. */
export interface ServedStep {
  readonly phase: ServingPhase;
  readonly slots: readonly (ServedRequest | undefined)[];
}

export type ServedWhat =
  | { readonly what: "ids"; readonly vocabulary: number }
  | { readonly what: "vectors"; readonly columns: number }
  /** Tokens that are cached before, and new ones. */
  | { readonly what: "spans" }
  /** So many of each request. */
  | { readonly what: "pages"; readonly pages: number }
  /** Where the last new token of each request lies among rows of which each has `queries`. */
  | { readonly what: "last-row"; readonly queries: number };

/** Rows [firstRow, firstRow + rows) of a step of which each slot has `slotRows`. */
export interface ServedContent {
  readonly kind: "served";
  readonly of: ServedWhat;
  readonly firstRow: number;
  readonly rows: number;
  readonly slotRows: number;
  /** Of the whole sequences that the requests are parts of. */
  readonly requests: number;
  readonly sequence: number;
}

/** What each member of an input's ranks is given at each step; nothing where the workload is no phase of serving. */
export function servedBy(
  { serving, phase, sequence }: Workload,
  of: ServedWhat,
  members: readonly { readonly firstRow: number; readonly rows: number }[],
  slotRows = sequence,
): { readonly served?: readonly ServedContent[] } {
  if (serving === undefined || phase === undefined) return {};
  const { requests } = serving;
  const whole = { requests, sequence: contextTokens(serving) };
  return {
    served: members.map((rows) => ({ kind: "served", of, ...rows, slotRows, ...whole })),
  };
}

/** As a buffer holds them: rows of vectors are padded to quads. Idle slots and padding are zeros. */
export function servedBytes(
  content: ServedContent,
  { slots }: ServedStep,
  source: ContentSource,
  dtype: DType,
): Uint8Array<ArrayBuffer> {
  const { of, firstRow, rows, slotRows } = content;
  const width = widthOf(of);
  const rowBytes = width * bytesPerElement(dtype);
  const bytes = new Uint8Array(Math.ceil((rows * rowBytes) / 4) * 4);
  for (let row = 0; row < rows; row++) {
    const slot = Math.floor((firstRow + row) / slotRows);
    const token = (firstRow + row) % slotRows;
    const served = slots[slot];
    if (served === undefined || token >= served.tokens) continue;
    const own =
      of.what === "last-row"
        ? wordsOf([row * of.queries + served.tokens - 1])
        : rowOf(content, of, served, token, source, dtype);
    bytes.set(own, row * rowBytes);
  }
  return bytes;
}

function widthOf(of: ServedWhat): number {
  switch (of.what) {
    case "ids":
    case "last-row":
      return 1;
    case "vectors":
      return rowPitch(of.columns);
    case "spans":
      return 2;
    case "pages":
      return of.pages;
  }
}

function rowOf(
  { requests, sequence }: ServedContent,
  of: Exclude<ServedWhat, { readonly what: "last-row" }>,
  { request, first, tokens, pages, given }: ServedRequest,
  token: number,
  source: ContentSource,
  dtype: DType,
): Uint8Array {
  const place = { offset: [request, first + token], size: [1, 1] };
  switch (of.what) {
    case "spans":
      return wordsOf([first, tokens]);
    case "pages":
      return wordsOf(pages);
    case "ids": {
      const id = given?.[token];
      if (id !== undefined) return wordsOf([id]);
      const content = { tensor: "ids", vocabulary: of.vocabulary, shape: [requests, sequence] };
      return fillContent({ kind: "ids", ...content, ...place }, source, dtype);
    }
    case "vectors": {
      const { columns } = of;
      const vectors = {
        tensor: "input",
        center: 0,
        scale: 1,
        shape: [requests, sequence, columns],
      };
      const offset = [...place.offset, 0];
      return fillContent(
        { kind: "uniform", ...vectors, offset, size: [...place.size, columns] },
        source,
        dtype,
      );
    }
  }
}

function wordsOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}
