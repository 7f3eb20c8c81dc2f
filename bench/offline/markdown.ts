// Pieces of Markdown.

/** Cells must be one line each; missing ones at the end of a row are empty. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  return [
    lineOf(titles),
    lineOf(titles.map(() => "---")),
    ...rows.map((cells) => lineOf(titles.map((_, column) => cells[column] ?? ""))),
  ];
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll(/\s+/g, " ").replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

export function codeBlock(lines: readonly string[]): string[] {
  return ["```", ...lines, "```"];
}
