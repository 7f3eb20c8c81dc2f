// Colors of a chart: those of the page's style, light or dark.

export function colorAt(index: number): string {
  return `var(--c${index % 8})`;
}
