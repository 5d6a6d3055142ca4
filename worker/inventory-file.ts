import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import { Failure } from '../domain/failure.ts';
import { parseInventory, type Inventory } from '../domain/inventory.ts';

/**
 * The inventory as the file has it now: read at the start (throws `configuration-invalid` with all problems) and again when the
 * file has changed. A change that does not parse is logged and the last good inventory stays in force.
 */
export function inventoryFile(file: string, log: Logger): () => Inventory {
  let stamp = stampOf(file);
  let inventory = read(file);
  return () => {
    const now = stampOf(file);
    if (now === stamp) return inventory;
    stamp = now;
    try {
      inventory = read(file);
      log.info({ file }, 'the inventory was read again');
    } catch (error) {
      log.error({ file }, `the inventory changed and is not taken: ${error instanceof Error ? error.message : String(error)}`);
    }
    return inventory;
  };
}

function read(file: string): Inventory {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure('configuration-invalid', `the inventory ${file} cannot be read`, { file }, error);
  }
  return parseInventory(text, file);
}

function stampOf(file: string): string {
  try {
    const stat = statSync(file);
    return `${stat.mtimeMs}/${stat.size}/${stat.ino}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'gone';
  }
}
