// Pieces of Markdown.

/** Cells must be one line each; missing ones at the end of a row are empty. */
export const markdownTable = (
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string[] => [
  lineOf(titles),
  lineOf(titles.map(() => "---")),
  ...rows.map((cells) => lineOf(titles.map((_, column) => cells[column] ?? ""))),
];

const lineOf = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll(/\s+/g, " ").replaceAll("|", String.raw`\|`)).join(" | ")} |`;

export const codeBlock = (lines: readonly string[]): string[] => ["```", ...lines, "```"];
