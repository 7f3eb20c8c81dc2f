// Starts of containers as commands: those of Kubernetes are words, those of Compose are split as a shell does, and
// an image's are a script.

import { behindImage } from "../launch/behind_launcher.ts";
import { followCommand, type CommandPlace, wordOf } from "../launch/follow_command.ts";
import { type Launch, noLaunch } from "../invocation.ts";
import { importNote } from "../note.ts";
import { runScript } from "../shell/run_script.ts";
import { newShell, type Variable } from "../shell/shell.ts";
import { sourceOf } from "../shell/source_text.ts";
import { scalar, type Scalar } from "../shell/value.ts";
import type { Container } from "./containers.ts";
import type { ImageStart } from "./dockerfile.ts";

export function followContainers(containers: readonly Container[], place: CommandPlace): void {
  for (const container of containers) follow(container, place);
}

export function followImage({ image, script, isArguments }: ImageStart, place: CommandPlace): void {
  runScript(sourceOf(script), newShell(new Map()), {
    ...place.follower,
    onCommand: (started) => {
      const words = withImage({ image, hasCommand: !isArguments }, started.words);
      followCommand({ ...started, words }, noLaunch, place);
    },
  });
}

function follow(container: Container, place: CommandPlace): void {
  const { words, isText, environment } = container;
  const launch = launchOf(container, place);
  const shell = newShell(
    new Map(
      [...environment].map(([name, pieces]): [string, Variable] => [
        name,
        { value: scalar(pieces), exported: true },
      ]),
    ),
  );
  const start = (all: readonly Scalar[]): void => {
    followCommand({ words: withImage(container, all), shell, conditions: [] }, launch, place);
  };
  if (!isText) {
    start(words);
    return;
  }
  // In Compose, $$ is the dollar that the shell in the container sees.
  const text = words.flatMap((word, index) => [
    ...(index === 0 ? [] : [{ text: " ", offset: word[0]?.offset ?? 0 }]),
    ...word.map((piece) => ({ ...piece, text: piece.text.replaceAll("$$", "$") })),
  ]);
  const lines = text.map((piece) => ({ ...piece, text: piece.text.replaceAll("\n", " ") }));
  runScript(sourceOf(isScript(container) ? text : lines), shell, {
    ...place.follower,
    onCommand: (started) => {
      followCommand({ ...started, words: withImage(container, started.words) }, launch, place);
    },
  });
}

/** A text with commands of its own on each line, not one command on several. */
function isScript({ words }: Container): boolean {
  return words.some((word) => word.some(({ text }) => /^\s*\w+=|;|&&/.test(text)));
}

function withImage(
  { image, hasCommand }: Pick<Container, "image" | "hasCommand">,
  words: readonly Scalar[],
): readonly Scalar[] {
  return hasCommand
    ? words
    : behindImage(image, undefined, words.map(wordOf)).map(
        ({ pieces, text, offset }) => pieces ?? [{ text, offset }],
      );
}

function launchOf({ gpus, pods, replicas }: Container, { position }: CommandPlace): Launch {
  return {
    ...noLaunch,
    ...(gpus === undefined ? {} : { gpus }),
    ...(pods === undefined ? {} : { nodes: pods }),
    diagnostics:
      replicas === undefined
        ? []
        : [
            importNote(
              "warning",
              "replicas-not-expressible",
              `${replicas.count} replicas are started, each of them a server of its own; the plan is of one`,
              { position: position(replicas.offset) },
            ),
          ],
  };
}
