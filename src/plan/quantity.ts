// Quantities as people write them: "16MiB", "64 GB", "67TFLOPS", "50GB/s". Plain numbers are bytes,
// FLOP/s or bytes per second.

const decimal = ["", "K", "M", "G", "T", "P"];
const pattern = /^\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([KkMGTP]?)(i?)(B|FLOPS|FLOP\/s|B\/s)\s*$/;

type Unit = "B" | "B/s" | "FLOP/s";

function parse(text: string, unit: Unit): number | undefined {
  const [, digits, prefix = "", binary, written] = pattern.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const asUnit = written === "FLOPS" ? "FLOP/s" : written;
  if (asUnit !== unit || (binary !== "" && prefix === "")) return undefined;
  const step = binary === "i" ? 1024 : 1000;
  const value = Number(digits) * step ** decimal.indexOf(prefix.toUpperCase());
  return Number.isFinite(value) ? value : undefined;
}

/** "16MiB" (2^20), "64GB" (1e9). Undefined where the text is no such quantity. */
export function parseBytes(text: string): number | undefined {
  const bytes = parse(text, "B");
  return bytes === undefined ? undefined : Math.round(bytes);
}

/** "67TFLOPS" or "67 TFLOP/s". */
export function parseFlops(text: string): number | undefined {
  return parse(text, "FLOP/s");
}

/** "50GB/s". */
export function parseBandwidth(text: string): number | undefined {
  return parse(text, "B/s");
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let index = 0;
  let rest = value;
  while (rest >= step && index < units.length - 1) {
    rest /= step;
    index += 1;
  }
  return `${Number(rest.toPrecision(3))} ${units[index] ?? ""}`;
}

/** Bytes for a reader: "16 MiB", or "64 GB" with decimal units. */
export function bytesText(bytes: number, units: "binary" | "decimal" = "binary"): string {
  return units === "binary"
    ? scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"])
    : scaled(bytes, 1000, ["B", "kB", "MB", "GB", "TB"]);
}
