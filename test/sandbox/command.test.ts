import { describe, expect, it } from 'vitest';
import { sandboxCommand } from '../../cli/sandbox.ts';

describe('the sandbox command', () => {
  it('says that its commands are host commands', () => {
    const command = sandboxCommand();
    expect(command.commands.map((one) => one.name())).toEqual(['up', 'status', 'fresh-target', 'down']);
    for (const one of [command, ...command.commands]) expect(one.description()).toContain('host command');
  });

  it.each([
    ['--size', 'many'],
    ['--size', '-1'],
    ['--pooler', 'odyssey'],
  ])('refuses %s %s', async (flag, value) => {
    const command = sandboxCommand();
    for (const one of [command, ...command.commands]) one.exitOverride().configureOutput({ writeErr: () => undefined });
    await expect(command.parseAsync(['up', flag, value], { from: 'user' })).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });
});
