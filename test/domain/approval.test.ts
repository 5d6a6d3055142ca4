import { describe, expect, it } from 'vitest';
import { chainOf, neededText, quorumText, settle, stillNeeded, type Agreement } from '../../domain/approval.ts';

const says = (choice: Agreement['choice'], person: string, ...groups: string[]): Agreement => ({ person, groups, choice });
const approves = (person: string, ...groups: string[]): Agreement => says('approve', person, ...groups);

const oneOfEach = [
  { group: 'dba', count: 1 },
  { group: 'owners', count: 1 },
];

describe('settle', () => {
  it('waits until every line of the quorum is filled', () => {
    expect(settle(oneOfEach, [])).toBeNull();
    expect(settle(oneOfEach, [approves('mara', 'dba')])).toBeNull();
    expect(settle(oneOfEach, [approves('mara', 'dba'), approves('jonas', 'dba')])).toBeNull();
    expect(settle(oneOfEach, [approves('mara', 'dba'), approves('lena', 'owners')])).toBe('approve');
  });

  it('gives one person one place, also one who is in both groups or says it twice', () => {
    expect(settle(oneOfEach, [approves('mara', 'dba', 'owners')])).toBeNull();
    expect(settle(oneOfEach, [approves('mara', 'dba'), approves('mara', 'owners')])).toBeNull();
    expect(settle([{ group: 'dba', count: 2 }], [approves('mara', 'dba'), approves('mara', 'dba')])).toBeNull();
  });

  it('places people where they help most, in whatever order they came', () => {
    const both = approves('mara', 'dba', 'owners');
    const dba = approves('jonas', 'dba');
    const owner = approves('lena', 'owners');
    for (const other of [dba, owner]) {
      expect(settle(oneOfEach, [both, other])).toBe('approve');
      expect(settle(oneOfEach, [other, both])).toBe('approve');
    }
  });

  it('moves several people along when that fills the last place', () => {
    const lines = ['a', 'b', 'c'].map((group) => ({ group, count: 1 }));
    const people = [approves('1', 'a', 'b'), approves('2', 'b', 'c'), approves('3', 'a')];
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (const order of orders) {
      expect(
        settle(
          lines,
          order.flatMap((index) => people[index] ?? []),
        ),
      ).toBe('approve');
    }
    expect(settle(lines, [approves('1', 'a', 'b'), approves('2', 'a', 'b'), approves('3', 'a', 'b')])).toBeNull();
  });

  it('counts the people of a line', () => {
    const two = [{ group: 'dba', count: 2 }];
    expect(settle(two, [approves('mara', 'dba'), approves('lena', 'owners')])).toBeNull();
    expect(settle(two, [approves('mara', 'dba'), approves('jonas', 'dba')])).toBe('approve');
  });

  it('ends with the first reject, whoever else agreed', () => {
    expect(settle(oneOfEach, [approves('mara', 'dba'), approves('lena', 'owners'), says('reject', 'jonas', 'dba')])).toBe('reject');
    expect(settle(oneOfEach, [says('reject', 'jonas', 'dba')])).toBe('reject');
  });

  it('never settles an empty quorum', () => {
    expect(settle([], [approves('mara', 'dba')])).toBeNull();
  });
});

describe('quorumText', () => {
  it('reads as a sentence', () => {
    expect(quorumText(oneOfEach)).toBe('1 of dba and 1 of owners');
  });
});

describe('what is still needed', () => {
  it('is quick to find for many people', () => {
    const people = Array.from({ length: 120 }, (_, index) => approves(`person-${index}`, 'dba'));
    const began = performance.now();
    expect(stillNeeded([{ group: 'dba', count: 300 }], people)).toEqual([{ group: 'dba', count: 180 }]);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('names the places that nobody fills, placing people where they help most', () => {
    expect(stillNeeded(oneOfEach, [approves('mara', 'dba')])).toEqual([{ group: 'owners', count: 1 }]);
    expect(stillNeeded([{ group: 'dba', count: 2 }, ...oneOfEach], [approves('mara', 'dba', 'owners')])).toEqual([
      { group: 'dba', count: 1 },
      { group: 'dba', count: 1 },
      { group: 'owners', count: 1 },
    ]);
    expect(stillNeeded(oneOfEach, [approves('mara', 'dba'), approves('lena', 'owners')])).toEqual([]);
  });

  it('names who could fill them', () => {
    const people = (line: { group: string }): string[] => (line.group === 'owners' ? ['lena', 'omar'] : []);
    expect(neededText(oneOfEach, people)).toBe('1 of dba (nobody is there) and 1 of owners (lena, omar)');
  });
});

describe('chainOf', () => {
  const minutes = (count: number): number => count * 60_000;

  it('puts reminders and escalations in order of time; each step of the escalation builds on those before', () => {
    const rule = {
      quorum: oneOfEach,
      deadline: minutes(240),
      remind: [minutes(60), minutes(15)],
      escalate: [
        { after: minutes(120), quorum: [{ group: 'directors', count: 1 }] },
        { after: minutes(30), to: ['oncall'] },
        { after: minutes(180), to: ['oncall', 'dba'] },
      ],
    };
    const chain = chainOf(rule, Date.parse('2026-11-21T12:00:00.000Z'));
    expect(chain.map((one) => [one.at.slice(11, 16), one.quorum && quorumText(one.quorum)])).toEqual([
      ['12:15', undefined],
      ['12:30', '1 of dba or oncall and 1 of owners or oncall'],
      ['13:00', undefined],
      ['14:00', '1 of directors'],
      ['15:00', '1 of directors or oncall or dba'],
    ]);
    expect(settle(chain[1]?.quorum ?? [], [approves('mara', 'oncall'), approves('lena', 'oncall')])).toBe('approve');
    expect(settle(chain[1]?.quorum ?? [], [approves('mara', 'oncall', 'dba')])).toBeNull();
  });
});
