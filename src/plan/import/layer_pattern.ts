// Layers that a Megatron-LM flag chooses: every how manieth, or a Python list with one number for each layer, as
// `([0]*3+[1])*4`.

import type { CommandFlags } from "./command_flags.ts";
import { shown } from "./note.ts";

/** More layers than a plan takes. */
const maxLayers = 10_000;
const maxBrackets = 100;

/**
 * Whether a layer is chosen; undefined where the flag is not given or 0, or was reported.
 *
 * @param isNth what the number n chooses
 */
export function layersChosen(
  flags: CommandFlags,
  flag: string,
  layers: number,
  isNth: (layer: number, n: number) => boolean,
): ((layer: number) => boolean) | undefined {
  // Files of jobs have the list itself, whose items are words.
  const items = flags.list(flag);
  const written =
    items.length > 1 && !items.join("").includes("[") ? `[${items.join()}]` : items.join("");
  const text = flags.text(flag);
  if (text === undefined || written === "") return undefined;
  const n = Number(written);
  if (n === 0) return undefined;
  if (Number.isInteger(n) && n > 0) return (layer) => isNth(layer, n);
  const pattern = patternOf(written);
  if (pattern === undefined) {
    const message = `${flag} must be a number, or a list such as ([0]*3+[1])*4, found ${shown(written)}`;
    flags.report("error", "invalid-value", message, flag);
    return undefined;
  }
  if (pattern.length !== layers && layers <= maxLayers) {
    const message = `${flag} has ${pattern.length} numbers for ${layers} layers`;
    flags.report("error", "sizes-contradict", message, flag, "give one number for each layer");
    return undefined;
  }
  return (layer) => pattern[layer] !== 0;
}

/** Undefined where it is no sum of lists and their multiples. */
export function patternOf(text: string): readonly number[] | undefined {
  const tokens = text.match(/\d+|[[\](),+*]|\S/g) ?? [];
  if (tokens.filter((token) => token === "(").length > maxBrackets) return undefined;
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && at++ >= 0;
  const count = (): number | undefined =>
    /^\d{1,6}$/.test(tokens[at] ?? "") ? Number(tokens[at++]) : undefined;

  function list(): number[] | undefined {
    const items: number[] = [];
    while (!take("]")) {
      const item = count();
      if (item === undefined) return undefined;
      items.push(item);
      if (!take(",") && tokens[at] !== "]") return undefined;
    }
    return items;
  }
  function product(): number[] | undefined {
    const before = count();
    if (before !== undefined && !take("*")) return undefined;
    const group = take("(") ? sum() : take("[") ? list() : undefined;
    if (group === undefined) return undefined;
    let whole = before === undefined ? group : repeated(group, before);
    while (take("*")) {
      const times = count();
      if (times === undefined) return undefined;
      whole = repeated(whole, times);
    }
    return whole;
  }
  /** To the bracket that closes it, or to the end. */
  function sum(isWhole = false): number[] | undefined {
    const all: number[] = [];
    do {
      const next = product();
      if (next === undefined) return undefined;
      all.push(...next);
    } while (take("+"));
    return isWhole || take(")") ? all : undefined;
  }
  const found = sum(true);
  return at === tokens.length ? found : undefined;
}

function repeated(items: readonly number[], times: number): number[] {
  const most = Math.ceil(maxLayers / Math.max(1, items.length));
  return Array.from({ length: Math.min(times, most) }, () => items).flat();
}
