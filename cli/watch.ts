import type { Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import type { ShownRun } from './asking.ts';
import { clientCommand } from './client-command.ts';
import type { ApiClient, ClientOptions } from './client.ts';
import { runPath } from './run-of.ts';
import type { World } from './world.ts';

const lookEveryMs = 1_000;
/** Where lines cannot be redrawn, a step that only went further is told this often. */
const progressEveryMs = 10_000;
/** Whether a worker is there at all is asked this often. */
const notesEveryMs = 10_000;

export function watchCommand(world: World): Command {
  return clientCommand('watch', 'Follow a run until it is over; exit code 0 when it succeeded, else 1')
    .argument('<run>', 'ULID')
    .action(async (run: string, options: ClientOptions) => {
      await watchRun(world, options, run);
    });
}

/**
 * Looks as soon as the stream of events says something, and every second for what is no event, such as progress: so it works
 * without the stream, too. An API that does not answer for a while is said and waited for; only the first look must succeed.
 */
export async function watchRun(world: World, options: ClientOptions, run: string): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { runDetailSchema } = await import('../api/answers.ts');
  const client = apiClient(world, options);
  const path = runPath(run);
  const show = await screen(world);
  const { readAsking } = await import('./asking.ts');
  const asking = readAsking(client);
  let seen = await asking(await client.get(path, runDetailSchema));
  const notes = notesOf(world, client);
  show(seen, seen.state === 'closed' ? null : await notes());
  const news = newsOf(client, `${path}/events`);
  try {
    while (seen.state !== 'closed') {
      await Promise.race([world.wait(lookEveryMs), news.next()]);
      try {
        seen = await asking(await client.get(path, runDetailSchema));
        show(seen, seen.state === 'closed' ? null : await notes());
      } catch (error) {
        if (!(error instanceof Failure) || !error.retryable) throw error;
        show(null, troubleText(error));
      }
    }
  } finally {
    news.stop();
  }
  if (seen.outcome !== 'succeeded') world.bad();
}

/** The stream of the run's events, which is asked for again when it ended and somebody waits. */
function newsOf(client: ApiClient, path: string): { next(): Promise<void>; stop(): void } {
  const stop = new AbortController();
  let heard: () => void = () => undefined;
  let listening = false;
  const listen = async (): Promise<void> => {
    listening = true;
    await client.listen(path, () => heard(), stop.signal);
    listening = false;
  };
  return {
    next: async () => {
      if (!listening) void listen();
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    },
    stop: () => stop.abort(),
  };
}

/** What is wrong with the service, in a line; asked for now and then. */
function notesOf(world: World, client: ApiClient): () => Promise<string | null> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let known: string | null = null;
  return async () => {
    if (world.now() - askedAt < notesEveryMs) return known;
    askedAt = world.now();
    const { serviceNotes } = await import('./service-note.ts');
    const notes = await serviceNotes(client);
    known = notes.length === 0 ? null : `(${notes.join('; ')})`;
    return known;
  };
}

/** The run, or null when it could not be looked at; and what is wrong. */
type Show = (run: ShownRun | null, trouble: string | null) => void;

async function screen(world: World): Promise<Show> {
  const { runLines, telling } = await import('./watch-table.ts');
  const { fit } = await import('./fit.ts');
  return world.tty
    ? redrawn(world, (run, trouble) => fit([...runLines(run, world.now()), ...trouble], world.size()))
    : appended(world, telling(progressEveryMs));
}

/** Each line must fit the terminal: one that it breaks would not be counted, and the next picture would begin too low. */
function redrawn(world: World, lines: (run: ShownRun, trouble: readonly string[]) => string[]): Show {
  let drawn = 0;
  let last: ShownRun | null = null;
  return (run, trouble) => {
    last = run ?? last;
    const next = last === null ? [] : lines(last, trouble === null ? [] : [trouble]);
    const back = drawn === 0 ? '' : `\u001B[${drawn}A\u001B[0J`;
    world.out(`${back}${next.join('\n')}\n`);
    drawn = next.length;
  };
}

function appended(world: World, tell: (run: ShownRun, now: number) => string[]): Show {
  let told: string | null = null;
  return (run, trouble) => {
    if (trouble !== null && trouble !== told) world.err(`${trouble}\n`);
    told = trouble;
    if (run === null) return;
    for (const text of tell(run, world.now())) world.out(`${text}\n`);
  };
}

function troubleText(trouble: Failure): string {
  return `(${trouble.message}; the run goes on, and this looks again every second)`;
}
