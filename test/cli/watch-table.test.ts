import { expect, test } from 'vitest';
import { changedLines, runLines, telling } from '../../cli/watch-table.ts';
import { aQuestion, aRun, aStep, id, start } from './a-run.ts';

const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();
const failure = { code: 'source-busy', message: 'two transactions are old', hint: 'End them.', facts: {} } as const;

test('every step is a line with its mark, time and progress', () => {
  const run = aRun({
    steps: [
      aStep({ id: 'preflight', position: 1, title: 'Preflight', state: 'done', startedAt: at(0), finishedAt: at(2.1) }),
      aStep({ id: 'schema', position: 2, title: 'Copy the schema', state: 'absent', because: 'it is there already' }),
      aStep({
        position: 3,
        state: 'running',
        startedAt: at(10),
        progress: { summary: '31 of 42 tables, 84 MB/s', fraction: 0.737, secondsLeft: 130 },
      }),
      aStep({
        id: 'switch',
        kind: 'change',
        position: 4,
        title: 'Switch',
        state: 'failed',
        startedAt: at(10),
        finishedAt: at(12),
        attempt: 2,
        failure,
      }),
      aStep({ id: 'retire', position: 5, title: 'Retire' }),
      aStep({ id: 'undo', position: 6, title: 'Publish', state: 'undo-failed', failure }),
    ],
  });
  expect(runLines(run, start + 73_000)).toEqual([
    `migration-cutover of orders  running  (1 min 13 s)  ${id}  asked by ada`,
    '✓  1 Preflight        2.1 s',
    '-  2 Copy the schema  not needed: it is there already',
    '>  3 Initial copy     1 min 3 s  73 %, about 2 min 10 s left, 31 of 42 tables, 84 MB/s',
    '✗  4 Switch           FAILED  2.0 s  attempt 2  source-busy: two transactions are old',
    '·  5 Retire',
    '✗  6 Publish          UNDO FAILED  source-busy: two transactions are old',
  ]);
});

test('an open approval shows who must agree, to what, until when, and the commands', () => {
  const agreements = [{ person: 'grace', groups: ['dba'], choice: 'approve' as const }];
  const question = aQuestion({
    opening: 2,
    deadline: at(3_600),
    agreements,
    quorum: [
      { group: 'dba', count: 1 },
      { group: 'owners', count: 1 },
    ],
  });
  const text = runLines(
    aRun({ state: 'waiting', questions: [question], steps: [aStep({ id: 'agree', title: 'Agree to the switch', position: 7 })] }),
    start,
  ).join('\n');
  expect(text).toContain('? step 7 (Agree to the switch) (asked again, 2 by now: the plan has changed)');
  expect(text).toContain('1 of dba and 1 of owners, not ada, within 1 h 0 min');
  expect(text).toContain('agreed   grace; still needed: 1 of owners');
  expect(text).toContain(`steadyhand approve ${id} --digest dddddddddddd\n`);
  expect(text).toContain(`steadyhand reject ${id} --reason '…'`);
});

test('an approval shows who was reminded when, and who may answer from when on', () => {
  const agreed = [{ person: 'grace', groups: ['dba'], choice: 'approve' as const }];
  const wider = [{ group: 'dba', count: 1, or: ['oncall'] }];
  const chain = [
    { at: at(300), done: at(301) },
    { at: at(1_800), quorum: wider, done: null },
    { at: at(86_400), done: null },
  ];
  const before = aRun({ state: 'waiting', questions: [aQuestion({ agreements: agreed, chain })] });
  const text = runLines(before, start).join('\n');
  expect(text).toContain('  then     reminded 03:05Z; from 03:30Z on 1 of dba or oncall; reminder at 2026-11-22 03:00Z');
  expect(text).toContain(`  withdraw steadyhand withdraw ${id}`);
  const after = aRun({
    state: 'waiting',
    questions: [aQuestion({ quorum: wider, chain: chain.map((one) => ({ ...one, done: one.at })) })],
  });
  expect(changedLines(before, before, start, true)).toEqual([]);
  expect(changedLines(before, after, start, true).join('\n')).toContain('since 03:30Z 1 of dba or oncall');
});

test('a parked run shows what failed and a command for each way on', () => {
  const question = aQuestion({ kind: 'parked', approval: 'switch', choices: ['retry', 'roll-back', 'cancel'], failure });
  const text = runLines(aRun({ state: 'parked', questions: [question] }), start).join('\n');
  expect(text).toContain('! switch failed; the run is parked');
  expect(text).toContain('source-busy: two transactions are old');
  expect(text).toContain(`steadyhand decide ${id} retry  # look, and go on with what is there\n`);
  expect(text).toContain(`steadyhand decide ${id} roll-back --reason '…'  # undo all`);
  expect(text).not.toContain('decide 01KAJ0V5Z8Q4W9T2B7C6D5E4F3 cancel');
});

test('a closed run ends with its outcome, what is left and what was proved', () => {
  const run = aRun({
    state: 'closed',
    outcome: 'needs-attention',
    because: 'an undo failed',
    left: ['slot steadyhand_x', 'copy (made)'],
    steps: [aStep()],
    evidence: { pauseMs: 17 },
    closedAt: at(60),
  });
  const lines = runLines(run, start + 999_000);
  expect(lines[0]).toContain('closed: needs-attention  (1 min 0 s');
  expect(lines.slice(-7)).toEqual([
    'needs-attention: an undo failed',
    '  left behind:',
    '    slot steadyhand_x',
    '    Initial copy (made)',
    `  take it back  steadyhand janitor --remove ${id} --reason '…'`,
    `  by hand       steadyhand show ${id} --undo, then steadyhand lease release orders --reason '…'`,
    '  pauseMs: 17 ms',
  ]);
});

test('a run that ended in the middle of a step says so, and its clocks stand still', () => {
  const steps = [aStep({ kind: 'approval', state: 'stopped', startedAt: at(1), finishedAt: at(4) }), aStep({ id: 'b', position: 2 })];
  const run = aRun({ state: 'closed', outcome: 'refused', closedAt: at(4), steps });
  expect(runLines(run, start + 999_000)[1]).toBe('■  1 Initial copy  stopped, not finished  3.0 s');
  const ended = changedLines(
    aRun({ steps }),
    { ...run, steps: [aStep({ state: 'done', startedAt: at(1), finishedAt: at(3) })] },
    start,
    false,
  );
  expect(ended.map((text) => text.slice(0, 17))).toEqual(['✓  1 Initial copy', 'migration-cutover', 'refused']);
});

test('a step that waits looks again without a word; one that acts again says so', () => {
  const wait = aStep({ state: 'running', startedAt: at(0), attempt: 1 });
  const change = aStep({ ...wait, id: 'b', kind: 'change', position: 2 });
  const again = [
    { ...wait, attempt: 7 },
    { ...change, attempt: 2 },
  ];
  expect(runLines(aRun({ steps: again }), start + 1_000).slice(1)).toEqual([
    '>  1 Initial copy  1.0 s',
    '>  2 Initial copy  1.0 s  attempt 2',
  ]);
  expect(changedLines(aRun({ steps: [wait, change] }), aRun({ steps: again }), start, false)).toHaveLength(1);
});

test('evidence is text: units at the values, lists in a line of their own, digests short', () => {
  const evidence = {
    compare: { rowsCompared: 209_101, method: 'snapshot' },
    copy: { bytes: 66_461_696, markerMs: 5, findings: 'a'.repeat(64) },
    switch: {
      pauseMs: 107.1,
      parts: [
        { part: 'pause', ms: 17 },
        { part: 'fence', ms: 13.8 },
      ],
    },
    available: { host: 'db.example.com', port: 54_321 },
    note: 'a\u001B[2Jb',
  };
  expect(runLines(aRun({ state: 'closed', outcome: 'succeeded', evidence }), start).slice(3)).toEqual([
    '  compare: rows compared 209,101, method snapshot',
    '  copy: bytes 63.4 MB, marker 5 ms, findings aaaaaaaaaaaa',
    '  switch: pause 107 ms',
    '    parts pause 17 ms, fence 13.8 ms',
    '  available: host db.example.com, port 54321',
    '  note: a\uFFFD[2Jb',
  ]);
});

test('an approver is told of warnings, and where they are', () => {
  const evidence = { preflight: { checks: 34, warns: 2, findings: 'f'.repeat(64) } };
  const text = runLines(aRun({ state: 'waiting', questions: [aQuestion()], evidence }), start).join('\n');
  expect(text).toContain(`warnings 2: steadyhand show ${id} --findings`);
});

test('what it failed of is told whole and once, in as many lines as it has', () => {
  const long = { ...failure, message: '2 checks block:\n- a: mend a\n- b: mend b' };
  const run = aRun({
    state: 'closed',
    outcome: 'refused',
    because: long.message,
    failure: long,
    closedAt: at(1),
    steps: [aStep({ state: 'failed', failure: long })],
  });
  expect(runLines(run, start).slice(1)).toEqual([
    '✗  1 Initial copy  FAILED  source-busy: 2 checks block:',
    '',
    'refused',
    '  source-busy: 2 checks block:',
    '    - a: mend a',
    '    - b: mend b',
    '  do       End them.',
  ]);
});

test('only what is new is told again, and progress only when it is due', () => {
  const step = (summary: string): ReturnType<typeof aStep> => aStep({ state: 'running', startedAt: at(0), progress: { summary } });
  const before = aRun({ steps: [step('1 of 9'), aStep({ id: 'b', position: 2 })] });
  const further = aRun({ steps: [step('2 of 9'), aStep({ id: 'b', position: 2 })] });
  expect(changedLines(null, before, start, false)).toHaveLength(2);
  expect(changedLines(before, before, start + 5_000, true)).toEqual([]);
  expect(changedLines(before, further, start, false)).toEqual([]);
  expect(changedLines(before, further, start, true)).toEqual([expect.stringContaining('2 of 9')]);
  const asked = aRun({ ...further, state: 'waiting', questions: [aQuestion()] });
  expect(changedLines(further, asked, start, false).join('\n')).toMatch(/waiting[\s\S]*steadyhand approve/);
  expect(changedLines(asked, asked, start, false)).toEqual([]);
});

test('what comes from elsewhere cannot move the cursor or add lines', () => {
  const run = aRun({ steps: [aStep({ state: 'failed', failure: { ...failure, message: 'a\u001B[2Jb\u202Ec\nsecond' } })] });
  const text = runLines(run, start)[1];
  expect(text).toMatch(/a\uFFFD\[2Jb\uFFFDc$/);
});

test('a step that goes further between two news of it is told when the next is due', () => {
  const tell = telling(1_000);
  const step = (summary: string): ReturnType<typeof aRun> =>
    aRun({ steps: [aStep({ state: 'running', startedAt: at(0), progress: { summary } })] });
  expect(tell(step('1 of 9'), start)).toHaveLength(2);
  expect(tell(step('2 of 9'), start + 400)).toEqual([]);
  expect(tell(step('2 of 9'), start + 1_000)).toEqual([expect.stringContaining('2 of 9')]);
  expect(tell(step('2 of 9'), start + 9_000)).toEqual([]);
  expect(tell(step('3 of 9'), start + 9_200)).toEqual([expect.stringContaining('3 of 9')]);
});

test('a run that waits for the lease says so, and again when the line has moved', () => {
  const line = { database: 'orders', first: { run: 'rehearsal/orders/W', state: 'waiting', asks: 'Agree to begin' } } as const;
  const waits = { ...line, place: 12, holder: 'rehearsal/orders/X', state: 'held', since: at(0), deadline: at(86_400) } as const;
  const before = aRun({ state: 'waiting', waits });
  const told = '  waits for the lease of orders, 12th in line: rehearsal/orders/X holds it, since 03:00Z; refused at 2026-11-22 03:00Z';
  expect(runLines(before, start)[1]).toBe(told);
  expect(changedLines(before, before, start, true)).toEqual([]);
  const free = { ...before, waits: { ...waits, place: 2, state: 'free' } } as const;
  expect(changedLines(before, free, start, true)).toEqual([
    '  waits for the lease of orders, 2nd in line: rehearsal/orders/W comes first, which asks: Agree to begin; refused at 2026-11-22 03:00Z',
  ]);
  const planning = { ...free, waits: { ...free.waits, first: { ...line.first, state: 'planning', asks: null } } } as const;
  expect(changedLines(free, planning, start, true)).toEqual([
    '  waits for the lease of orders, 2nd in line: rehearsal/orders/W comes first, which is planning; refused at 2026-11-22 03:00Z',
  ]);
  const next = { ...waits, place: 1, state: 'orphaned', first: null } as const;
  expect(changedLines(before, { ...before, waits: next }, start, true)).toEqual([
    '  waits for the lease of orders, 1st in line: rehearsal/orders/X ended and left things behind, since 03:00Z; refused at 2026-11-22 03:00Z',
  ]);
});
