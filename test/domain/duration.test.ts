import { describe, expect, it } from 'vitest';
import { durationText, parseDuration } from '../../domain/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    [' 2s ', 2_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '10', 's', '-5s', '5 minutes', '1h30m', '5S', '1e3s', '.5s', '5s;'])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [85.4, '85 ms'],
    [4_200, '4.2 s'],
    [999.6, '1.0 s'],
    [59_970, '1 min 0 s'],
    [119_800, '2 min 0 s'],
    [190_000, '3 min 10 s'],
    [3_600_000, '1 h 0 min'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
