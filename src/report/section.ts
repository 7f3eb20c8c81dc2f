// What a report says, as data. A function returns a section; how it looks is up to the renderers in `render`.

import type { Chart } from "./chart.ts";

/** How a text is meant; a renderer may color it. `code` is a name as a file or a command line has it. */
export type Tone = "plain" | "good" | "bad" | "doubtful" | "faint" | "strong" | "code";

export type TonedText = string | { readonly text: string; readonly tone: Tone };

export interface Report {
  readonly title?: readonly TonedText[];
  /** Right below the title. */
  readonly intro?: readonly Block[];
  readonly sections: readonly Section[];
}

/** Not shown where nothing is in it. */
export interface Section {
  readonly title?: string;
  readonly blocks: readonly Block[];
  readonly parts?: readonly Section[];
}

export type Block = Table | Fields | List | Text | Line | Verbatim | Gap | Drawing;

export interface Column {
  readonly title: string;
  /** Numbers are aligned to the right, the default. */
  readonly align?: "left" | "right";
}

export interface Table {
  readonly kind: "table";
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Absent where no row has any. */
  readonly prose?: Prose;
}

export interface Row {
  readonly cells: readonly TonedText[];
  /** The sentences of each column of prose. */
  readonly prose?: readonly (readonly string[])[];
}

/** Sentences, which would make a table too wide for a terminal: it has them in other places. */
export interface Prose {
  readonly columns: readonly ProseColumn[];
  readonly place: "under its row" | "below the table";
}

export interface ProseColumn {
  readonly title: string;
  /** Stands before each sentence where no title does. */
  readonly lead?: string;
}

/** Labels with what they say. */
export interface Fields {
  readonly kind: "fields";
  /** A label that is empty continues the field before it; a text that is empty leaves the field out. */
  readonly rows: readonly { readonly label: TonedText; readonly text: string }[];
  /** Columns of a terminal from where the labels begin to where the texts do. */
  readonly width: number;
  readonly level: 0 | 1;
}

export interface List {
  readonly kind: "list";
  readonly isOrdered: boolean;
  readonly items: readonly Item[];
}

export interface Item {
  readonly spans: readonly TonedText[];
  /** Of a list in it, without an order. */
  readonly items?: readonly Item[];
}

/** To be folded where lines are short. */
export interface Text {
  readonly kind: "text";
  readonly spans: readonly TonedText[];
  readonly tone: Tone;
  /** How deep it is indented: 1 belongs to what stands above. */
  readonly level: 0 | 1 | 2;
}

/** Never folded. */
export interface Line {
  readonly kind: "line";
  readonly spans: readonly TonedText[];
  readonly level: 0 | 1;
}

/** Text whose every column counts, such as a picture. */
export interface Verbatim {
  readonly kind: "verbatim";
  readonly lines: readonly string[];
  readonly language?: "json";
}

/** For formats that draw; others leave it out. */
export interface Drawing {
  readonly kind: "drawing";
  /** What it shows, in a sentence without a full stop. */
  readonly title: string;
  readonly chart: Chart;
}

/** Parts what stands in one section. */
export interface Gap {
  readonly kind: "gap";
}

export function table(columns: readonly Column[], rows: readonly Row[], prose?: Prose): Table {
  return { kind: "table", columns, rows, ...(prose === undefined ? {} : { prose }) };
}

export function fields(
  rows: readonly (readonly [label: TonedText, text: string])[],
  width: number,
  level: 0 | 1 = 1,
): Fields {
  return { kind: "fields", rows: rows.map(([label, text]) => ({ label, text })), width, level };
}

export function list(items: readonly Item[], isOrdered = false): List {
  return { kind: "list", isOrdered, items };
}

export function paragraph(text: string | readonly TonedText[], tone: Tone = "plain"): Text {
  return { kind: "text", spans: spansOf(text), tone, level: 0 };
}

/** Of what stands above it. */
export function note(text: string | readonly TonedText[], tone: Tone = "faint"): Text {
  return { kind: "text", spans: spansOf(text), tone, level: 1 };
}

/** Of the note above it. */
export function detail(text: string, tone: Tone = "plain"): Text {
  return { kind: "text", spans: [text], tone, level: 2 };
}

function spansOf(text: string | readonly TonedText[]): readonly TonedText[] {
  return typeof text === "string" ? [text] : text;
}

export function line(spans: readonly TonedText[], level: 0 | 1 = 0): Line {
  return { kind: "line", spans, level };
}

export function verbatim(lines: readonly string[], language?: "json"): Verbatim {
  return { kind: "verbatim", lines, ...(language === undefined ? {} : { language }) };
}

export function drawing(title: string, chart: Chart): Drawing {
  return { kind: "drawing", title, chart };
}

export const gap: Gap = { kind: "gap" };

export function strong(text: string): TonedText {
  return { text, tone: "strong" };
}

export function code(text: string): TonedText {
  return { text, tone: "code" };
}

export function faint(text: string): TonedText {
  return { text, tone: "faint" };
}

export function textOfSpan(span: TonedText): string {
  return typeof span === "string" ? span : span.text;
}

/** Columns of names. */
export function left(...titles: string[]): Column[] {
  return titles.map((title) => ({ title, align: "left" }));
}

/** Columns of numbers. */
export function right(...titles: string[]): Column[] {
  return titles.map((title) => ({ title }));
}
