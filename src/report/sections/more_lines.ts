// What a table that is cut says of the rest.

/** Empty where nothing is cut. */
export function moreLines(lines: number, most: number): string {
  return lines > most ? `; ${lines - most} more lines, see --json` : "";
}
