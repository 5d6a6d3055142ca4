import { expect, test } from 'vitest';
import { columns } from '../../cli/columns.ts';

const rows = [
  ['RUN', 'DATABASE', 'BY', 'TICKET'],
  ['01KAJ0V5Z8', 'orders', 'ada', 'OPS-7'],
  ['01KAJ0V5Z9', 'billing-eu', 'linus', ''],
];

const terminal = (width: number): Parameters<typeof columns>[0] => ({ tty: true, size: () => ({ columns: width, rows: 24 }) });

test('a row is a line where there is room, and where nobody sits at a terminal', () => {
  const lines = ['RUN         DATABASE    BY     TICKET', '01KAJ0V5Z8  orders      ada    OPS-7', '01KAJ0V5Z9  billing-eu  linus'];
  expect(columns(terminal(37), rows)).toEqual(lines);
  expect(columns({ ...terminal(20), tty: false }, rows)).toEqual(lines);
});

test('on a narrow terminal a row takes several lines, none of which the terminal breaks', () => {
  expect(columns(terminal(36), rows)).toEqual([
    'RUN         DATABASE    BY',
    '    TICKET',
    '01KAJ0V5Z8  orders      ada',
    '    OPS-7',
    '01KAJ0V5Z9  billing-eu  linus',
  ]);
  expect(columns(terminal(5), [['a word too long', 'b']])).toEqual(['a word too long', '    b']);
});
