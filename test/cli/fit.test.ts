import { expect, test } from 'vitest';
import { fit, wrap } from '../../cli/fit.ts';
import { runLines } from '../../cli/watch-table.ts';
import type { Finding } from '../../domain/finding.ts';
import { aQuestion, aRun, aStep, id, start } from './a-run.ts';

const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();
const failure = { code: 'source-busy', message: 'two transactions are old', hint: 'End them.', facts: {} } as const;

test('a table that is too high gives up the steps that are over first, and lines are cut to the width', () => {
  const steps = Array.from({ length: 30 }, (_, index) =>
    aStep({ id: `s${index}`, position: index + 1, title: `Step ${index} ${'x'.repeat(80)}`, state: index < 25 ? 'done' : 'pending' }),
  );
  const lines = fit(runLines(aRun({ steps }), start), { columns: 40, rows: 12 });
  expect(lines).toHaveLength(11);
  expect(lines[1]).toBe('  … 21 steps over or not needed');
  expect(lines.at(-1)).toContain('30 Step 29');
  for (const text of lines) expect([...text].length).toBeLessThan(40);
});

test('what must be read to its end is wrapped, and no line is as wide as the terminal', () => {
  const message = `the subscription ${'s'.repeat(50)} is switched off, ${'word '.repeat(12)}then retry`;
  const question = aQuestion({ kind: 'parked', approval: 'copy', choices: ['roll-back'], failure: { ...failure, message } });
  const steps = [aStep({ state: 'failed', failure: { ...failure, message } })];
  const run = aRun({ state: 'parked', questions: [question], steps });
  const lines = fit(runLines(run, start), { columns: 40, rows: 30 });
  for (const text of lines) expect([...text].length).toBeLessThan(40);
  expect(lines[1]).toMatch(/^✗ {2}1 Initial copy .*…$/);
  const said = lines
    .slice(2)
    .map((text) => text.trim())
    .join(' ')
    .replaceAll(/s s/g, 'ss');
  expect(said).toContain('word word then retry');
  expect(said).toMatch(/--reason '…' +# undo all/);
});

test('on a small terminal the question is whole, and the steps to come give way', () => {
  const steps = Array.from({ length: 16 }, (_, index) =>
    aStep({
      id: `s${index}`,
      position: index + 1,
      title: `Step ${index + 1}`,
      state: index === 0 ? 'done' : index === 1 ? 'waiting' : 'pending',
    }),
  );
  const warns = (check: string): Finding => ({ check, level: 'warns', evidence: 'word '.repeat(30), fix: 'Look.' });
  const noted = {
    id: 'switch',
    kind: 'change',
    title: 'Switch',
    pointOfNoReturn: true,
    commands: [],
    estimate: { from: 'unknown' },
  } as const;
  const plan = {
    ...{
      runbook: 'rehearsal',
      version: 1,
      database: 'orders',
      input: {},
      variables: {},
      facts: 'f',
      digest: 'd'.repeat(64),
      madeAt: at(0),
    },
    steps: [{ ...noted, notes: ['a note '.repeat(30), 'b', 'c'], holds: [{ what: 'writes', atMostMs: 2_000 }] }],
  };
  const asking = { plan, findings: [warns('disk'), warns('traffic'), warns('WAL')] };
  const lines = fit(runLines({ ...aRun({ steps, questions: [aQuestion()] }), asking }, start), { columns: 80, rows: 24 });
  const text = lines.join('\n');
  expect(lines.length).toBeLessThan(24);
  const approve = `approve  steadyhand approve ${id} --digest ${'d'.repeat(12)}`;
  for (const part of ['WARNING  disk: ', 'WARNING  WAL: ', '? agree', 'holds up writes', '3 notes of the plan', approve, 'reject '])
    expect(text).toContain(part);
});

test('a text that is too long goes on below its own beginning, not below its label', () => {
  const text = 'a text that is too long for one line';
  const wrapped = (label: string): string[] => wrap(`${label}${text}`, 41);
  expect(wrapped('  note     ')).toEqual(['  note     a text that is too long for', '           one line']);
  expect(wrapped('  holds up ')).toEqual(['  holds up a text that is too long for', '           one line']);
  expect(wrapped('         do: ')).toEqual(['         do: a text that is too long for', '             one line']);
  expect(wrapped('-  3 Copy      ')).toEqual(['-  3 Copy      a text that is too long', '               for one line']);
  expect(wrapped('  BLOCKED ')).toEqual(['  BLOCKED a text that is too long for', '    one line']);
  // A label that leaves no room is none.
  expect(wrapped('-  3 Copy the schema to it  ')[1]).toBe('  is too long for one line');
});
