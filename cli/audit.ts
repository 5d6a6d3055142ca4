import { Command } from 'commander';
import { hostCommand } from './client-command.ts';
import { line } from './plain.ts';
import { withControl } from './with-control.ts';
import type { World } from './world.ts';

export function auditCommand(world: World): Command {
  return new Command('audit').description('The record of every request, decision, intent and outcome').addCommand(
    hostCommand('verify', 'Walk the chain of the record; exit code 1 and the first bad row when it was edited').action(async () => {
      const { rows, head, bad } = await withControl(world, 'audit verify', (control) => control.events.verify());
      if (bad === null) {
        world.out(`${rows} rows, every one fits the one before it; head ${head ?? 'none'}\n`);
        return;
      }
      world.out(`BAD: row ${bad.seq}: ${line(bad.what)}\n`);
      world.bad();
    }),
  );
}
