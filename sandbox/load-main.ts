import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { writeUntilStopped } from './load-client.ts';
import { createJournal } from './load-journal.ts';
import { type LoadInstruction, type LoadMessage } from './load.ts';

/**
 * The load's own process, so that nothing that the demo does disturbs its clock. Told what to do by one message of its parent;
 * SIGTERM, the message `stop` or the end of the parent stop it: the report is written and sent, then it ends.
 */
process.once('message', (instruction: LoadInstruction) => {
  run(instruction).then(
    () => process.exit(0),
    (error: unknown) => {
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    },
  );
});

async function run(instruction: LoadInstruction): Promise<void> {
  const stop = stopSignal();
  const giveUp = new AbortController();
  stop.addEventListener('abort', () => void setTimeout(() => giveUp.abort(), instruction.giveUpMs));
  const first = randomInt(1, 20_000_000) * 100;
  const clients = Array.from({ length: instruction.clients }, (_, index) => first + index);
  const journal = createJournal(clients);
  const password = (await readFile(instruction.passwordFile, 'utf8')).trimEnd();
  const timer = setInterval(() => send({ kind: 'stats', stats: journal.stats() }), 1_000);
  const everyMs = (1_000 * instruction.clients) / instruction.perSecond;
  const { endpoints, user } = instruction;
  const common = { endpoints, user, password, everyMs, journal, stop, giveUp: giveUp.signal };
  const writers = clients.map((client, index) =>
    writeUntilStopped({ ...common, client, startAfterMs: index * (everyMs / clients.length) }),
  );
  // A write that hangs does not see that it was given up: its connection may wait in a pooler that stands still.
  await Promise.race([
    Promise.all(writers),
    new Promise((resolve) => giveUp.signal.addEventListener('abort', () => setTimeout(resolve, 100))),
  ]);
  clearInterval(timer);
  const report = journal.report();
  if (instruction.reportFile !== undefined) await writeFile(instruction.reportFile, `${JSON.stringify(report, null, 2)}\n`);
  await new Promise<void>((resolve) => send({ kind: 'report', report }, resolve));
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('disconnect', () => stop.abort());
  process.on('message', (message) => {
    if (message === 'stop') stop.abort();
  });
  return stop.signal;
}

function send(message: LoadMessage, sent: () => void = () => undefined): void {
  if (process.send && process.connected) process.send(message, undefined, undefined, sent);
  else sent();
}
