// Values of the options of `import` that are given several times.

import { InvalidArgumentError } from "commander";
import { type SourceKind, sourceKinds } from "../plan/import/note.ts";

/** A kind for one source, or for all. */
export interface KindOf {
  readonly kind: SourceKind;
  readonly source?: string;
}

function isKind(text: string): text is SourceKind {
  return sourceKinds.some((kind) => kind === text);
}

/** `vllm` or `vllm=serve.sh` */
export function kindsOf(text: string, before: readonly KindOf[] = []): readonly KindOf[] {
  const equals = text.indexOf("=");
  const kind = equals < 0 ? text : text.slice(0, equals);
  if (!isKind(kind)) {
    throw new InvalidArgumentError(`Allowed kinds are ${sourceKinds.join(", ")}.`);
  }
  return [...before, { kind, ...(equals < 0 ? {} : { source: text.slice(equals + 1) }) }];
}

/** `TP=8`; of a script's arguments `1=8`. */
export function assignments(
  text: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*|\d+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("A name and a value are needed, such as TP=8.");
  }
  return new Map([...before, [name, value]]);
}
